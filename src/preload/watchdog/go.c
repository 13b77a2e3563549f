/* SPDX-License-Identifier: Apache-2.0 */
/* Programs in Go. See go.h: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/go.h"

#include <stdint.h>
#include <string.h>

#include "common/text.h"
#include "preload/state/image.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"

#define SEARCHED (64 * 1024) /* of each mapping, as Go itself does */
#define STEP     16          /* where it is aligned to */

static const char magic[] = "\xff Go buildinf:";

static bool holds_magic(uintptr_t begin, uintptr_t end)
{
    static char bytes[4096];
    for (uintptr_t at = begin; at < end && at < begin + SEARCHED; at += sizeof(bytes)) {
        size_t length = lh_memory_copy_self(bytes, at, sizeof(bytes));
        for (size_t i = 0; i + sizeof(magic) <= length; i += STEP)
            if (memcmp(bytes + i, magic, sizeof(magic) - 1) == 0)
                return true;
    }
    return false;
}

/* "BEGIN-END PERMS OFFSET DEVICE INODE PATH": proc_pid_maps(5). The program's own come first, its
 * data among them. */
static bool look(void)
{
    static char maps[4096];
    if (lh_proc_read_file("/proc/self/maps", maps, sizeof(maps)) <= 0)
        return false;
    for (char *line = maps; line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');
        if (next == NULL)
            break;
        *next = '\0';
        const char *dash = strchr(line, '-');
        if (dash != NULL && strstr(line, lh_image.exe) != NULL &&
            holds_magic(lh_text_parse_hex(line), lh_text_parse_hex(dash + 1)))
            return true;
        line = next + 1;
    }
    return false;
}

bool lh_is_go(void)
{
    static enum { UNKNOWN, NO, YES } known;
    if (known == UNKNOWN)
        known = look() ? YES : NO;
    return known == YES;
}
