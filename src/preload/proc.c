/* What /proc tells about a thread of this process. See proc.h. */
#include "preload/proc.h"

#include <fcntl.h>
#include <string.h>

#include "common/text.h"
#include "preload/sys.h"
#include "preload/watchdog.h"

long lh_proc_read(uint32_t tid, const char *name, char *buf, size_t size)
{
    char path[64];
    struct lh_text text;
    lh_text_init(&text, path, sizeof(path));
    lh_text_string(&text, "/proc/self/task/");
    lh_text_u64(&text, tid);
    lh_text_char(&text, '/');
    lh_text_string(&text, name);
    buf[0] = '\0';
    long fd = lh_syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    long length = lh_syscall3(SYS_read, fd, (long)buf, (long)size - 1);
    lh_syscall1(SYS_close, fd);
    buf[length > 0 ? length : 0] = '\0';
    return length;
}

static uintptr_t parse_hex(const char *text)
{
    uintptr_t value = 0;
    for (;; text++) {
        if (*text >= '0' && *text <= '9')
            value = value << 4 | (uintptr_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            value = value << 4 | (uintptr_t)(*text - 'a' + 10);
        else
            return value;
    }
}

/* "running", or "NUMBER ARGUMENT… SP PC" with NUMBER -1 for a wait outside a system call. */
bool lh_proc_thread_waits(uint32_t tid, uintptr_t sp, size_t reach)
{
    char line[256];
    if (lh_proc_read(tid, "syscall", line, sizeof(line)) <= 0 || line[0] == 'r')
        return false;
    char *pc = strrchr(line, ' ');
    if (pc == NULL)
        return false;
    *pc = '\0';
    char *stack = strrchr(line, ' ');
    if (stack == NULL || strncmp(stack, " 0x", 3) != 0)
        return false;
    uintptr_t thread_sp = parse_hex(stack + 3);
    return thread_sp <= sp && sp - thread_sp <= reach;
}

void lh_watchdog_thread_name(uint32_t tid, char *name)
{
    if (lh_proc_read(tid, "comm", name, 16) > 0)
        name[strcspn(name, "\n")] = '\0';
}
