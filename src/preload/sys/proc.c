/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc tells about a thread of this process. See proc.h. */
#include "preload/sys/proc.h"

#include <fcntl.h>
#include <string.h>

#include "common/record.h"
#include "common/text.h"
#include "preload/sys/syscall.h"

#define TASKS "/proc/self/task/"

static long open_file(const char *path)
{
    return lh_syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
}

static long terminate(long length, char *buf)
{
    buf[length > 0 ? length : 0] = '\0';
    return length;
}

static long read_and_close(long fd, char *buf, size_t size)
{
    buf[0] = '\0';
    if (fd < 0)
        return fd;
    long length = lh_syscall3(SYS_read, fd, (long)buf, (long)size - 1);
    lh_syscall1(SYS_close, fd);
    return terminate(length, buf);
}

long lh_proc_read_file(const char *path, char *buf, size_t size)
{
    return read_and_close(open_file(path), buf, size);
}

/* `directory`NUMBER/NAME */
static long open_in(const char *directory, uint32_t number, const char *name)
{
    char path[64];
    struct lh_text text;
    lh_text_init(&text, path, sizeof(path));
    lh_text_string(&text, directory);
    lh_text_u64(&text, number);
    lh_text_char(&text, '/');
    lh_text_string(&text, name);
    return open_file(path);
}

long lh_proc_open_of(uint32_t tid, const char *name)
{
    return open_in(TASKS, tid, name);
}

long lh_proc_read(uint32_t tid, const char *name, char *buf, size_t size)
{
    return read_and_close(open_in(TASKS, tid, name), buf, size);
}

/* The name in parentheses may hold anything, so from its last one on. */
static const char *behind_name(const char *line, long length)
{
    while (length > 0 && line[length - 1] != ')')
        length--;
    return length > 0 && line[length] == ' ' ? line + length + 1 : NULL;
}

const char *lh_proc_stat(uint32_t tid, char *line, size_t size)
{
    long length = lh_proc_read(tid, "stat", line, size);
    return behind_name(line, length);
}

char lh_proc_process(uint32_t pid, uint64_t *slices, uint64_t *ticks)
{
    char line[512];
    long length = read_and_close(open_in("/proc/", pid, "stat"), line, sizeof(line));
    const char *fields = behind_name(line, length);
    char state = fields != NULL ? fields[0] : '?';
    *ticks = fields != NULL ? lh_proc_field(fields, 14 - 3) + lh_proc_field(fields, 15 - 3) : 0;
    bool known = read_and_close(open_in("/proc/", pid, "schedstat"), line, sizeof(line)) > 0;
    *slices = known ? lh_proc_field(line, 2) : LH_UNKNOWN;
    return state;
}

char lh_proc_state(uint32_t tid)
{
    char line[512];
    const char *fields = lh_proc_stat(tid, line, sizeof(line));
    return fields != NULL ? fields[0] : '?';
}

/* Argument `number`, from 1, of a line that ends where the arguments do. */
static uintptr_t argument(const char *line, unsigned number)
{
    for (; number > 0 && line != NULL; number--)
        line = strchr(line + 1, ' ');
    return line != NULL && strncmp(line, " 0x", 3) == 0 ? lh_text_parse_hex(line + 3) : 0;
}

bool lh_proc_parse_wait(char *line, struct lh_thread_wait *wait)
{
    if (line[0] == 'r')
        return false;
    char *pc = strrchr(line, ' ');
    if (pc == NULL)
        return false;
    *pc = '\0';
    char *sp = strrchr(line, ' ');
    if (sp == NULL || strncmp(sp, " 0x", 3) != 0 || strncmp(pc + 1, "0x", 2) != 0)
        return false;
    wait->number = line[0] == '-' ? -1 : (long)lh_proc_field(line, 0);
    wait->sp = lh_text_parse_hex(sp + 3);
    *sp = '\0';
    wait->first = argument(line, 1);
    wait->fourth = argument(line, 4);
    wait->pc = lh_text_parse_hex(pc + 3);
    return true;
}

bool lh_proc_thread_wait(uint32_t tid, struct lh_thread_wait *wait)
{
    char line[256];
    return lh_proc_read(tid, "syscall", line, sizeof(line)) > 0 && lh_proc_parse_wait(line, wait);
}

bool lh_proc_thread_waits(uint32_t tid, uintptr_t sp, size_t reach)
{
    struct lh_thread_wait wait;
    return lh_proc_thread_wait(tid, &wait) && wait.sp <= sp && sp - wait.sp <= reach;
}

void lh_proc_thread_name(uint32_t tid, char *name)
{
    if (lh_proc_read(tid, "comm", name, 16) > 0)
        name[strcspn(name, "\n")] = '\0';
}

uint64_t lh_proc_field(const char *line, unsigned number)
{
    uint64_t value = 0;
    for (; number > 0; number--) {
        while (*line != ' ' && *line != '\0')
            line++;
        while (*line == ' ')
            line++;
    }
    for (; *line >= '0' && *line <= '9'; line++)
        value = value * 10 + (uint64_t)(*line - '0');
    return value;
}

/* Time on a processor, time waiting for one, number of slices. */
static uint64_t schedstat(uint32_t tid, unsigned field)
{
    char line[128];
    bool known = lh_proc_read(tid, "schedstat", line, sizeof(line)) > 0;
    return known ? lh_proc_field(line, field) : LH_UNKNOWN;
}

uint64_t lh_proc_run_delay_ns(uint32_t tid)
{
    return schedstat(tid, 1);
}

bool lh_proc_read_run_delay(int fd, uint64_t *delay_ns)
{
    char line[128];
    long length = lh_syscall4(SYS_pread64, fd, (long)line, sizeof(line) - 1, 0);
    if (terminate(length, line) <= 0)
        return false;
    *delay_ns = lh_proc_field(line, 1);
    return true;
}

uint64_t lh_proc_slices(uint32_t tid)
{
    return schedstat(tid, 2);
}

const char *lh_proc_problem(void)
{
    char line[256];
    return lh_proc_read((uint32_t)lh_syscall0(SYS_gettid), "maps", line, sizeof(line)) > 0
               ? NULL
               : "/proc/self/maps cannot be read: native functions have no names";
}
