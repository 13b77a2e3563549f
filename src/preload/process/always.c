/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that begin with `!`. Runs on the program's threads, once, in our set-up: raw system
 * calls only. The text of a file with such rules stays mapped, for they point into it. */
#include "preload/process/always.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/state/always.h"
#include "preload/state/state.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

#define FILE_BYTES (1u << 20) /* the longest file, as in the collector */

struct lh_always lh_always;

/* Those of one text. False: there are none. */
static bool take(const char *text, size_t length, bool semicolons)
{
    struct lh_rule_reader reader;
    struct lh_rule rule;
    struct lh_rule_problem problem;
    uint32_t before = lh_always.count;
    bool had_more = lh_always.more;
    int result;
    lh_rule_reader_init(&reader, text, length, "", semicolons);
    while ((result = lh_rule_read(&reader, &rule, &problem)) > 0) {
        if (!rule.always)
            continue;
        if (lh_always.count < LH_ALWAYS_MAX)
            lh_always.rules[lh_always.count++] = rule;
        else
            lh_always.more = true;
    }
    if (result < 0) {
        lh_always.count = before;
        lh_always.more = had_more;
    }
    return lh_always.count > before;
}

/* Negative: it cannot be read, or is longer. What is no file does not keep us waiting. */
static long read_whole(const char *path, char *text)
{
    size_t length = 0;
    long more = 1;
    long fd = lh_syscall4(SYS_openat, AT_FDCWD, (long)path,
                          O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd;
    while (more > 0 && length <= FILE_BYTES) {
        more = lh_syscall3(SYS_read, fd, (long)(text + length), (long)(FILE_BYTES + 1 - length));
        length += more > 0 ? (size_t)more : 0;
    }
    lh_syscall1(SYS_close, fd);
    return more < 0 || length > FILE_BYTES ? -1 : (long)length;
}

static void take_file(const char *path)
{
    char *text = lh_memory_map(NULL, FILE_BYTES + 1, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (text == NULL)
        return;
    long length = read_whole(path, text);
    if (length < 0 || !take(text, (size_t)length, false))
        lh_syscall2(SYS_munmap, (long)text, FILE_BYTES + 1);
}

void lh_always_init(void)
{
    char path[sizeof(lh_options.suppress)];
    const char *paths = lh_options.suppress;
    (void)take(lh_options.allow, strlen(lh_options.allow), true);
    for (size_t length; *paths != '\0'; paths += length + (paths[length] == ':')) {
        length = strcspn(paths, ":");
        memcpy(path, paths, length);
        path[length] = '\0';
        if (length > 0)
            take_file(path);
    }
}
