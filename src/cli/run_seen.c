/* SPDX-License-Identifier: Apache-2.0 */
/* What the command's threads were seen waiting in: /proc/PID/task/TID/syscall,
 * proc_pid_syscall(5). */
#include "cli/run_seen.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/linux_compat.h"
#include "common/syscall_name.h"

#define FIRST_MS      40    /* a look costs what a short program would be slower by */
#define LAST_MS       60000 /* between two looks; then there are no more */
#define PROCESSES_MAX 64    /* below the command */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void lh_run_seen_init(struct lh_run_seen *seen)
{
    *seen = (struct lh_run_seen){.due_ms = now_ms() + FIRST_MS, .wait_ms = FIRST_MS};
}

int lh_run_seen_timeout(const struct lh_run_seen *seen)
{
    int64_t now = now_ms();
    if (seen->due_ms == INT64_MAX)
        return -1;
    return seen->due_ms > now ? (int)(seen->due_ms - now) : 0;
}

/* The first line of /proc/PID/task/TID/NAME. */
static bool read_line(pid_t pid, const char *tid, const char *name, char *line, int size)
{
    char path[96];
    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/%s", (int)pid, tid, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool got = fgets(line, size, file) != NULL;
    int error = errno;
    fclose(file);
    errno = error;
    if (got)
        line[strcspn(line, "\n")] = '\0';
    return got;
}

static void look_at_thread(struct lh_run_seen *seen, pid_t pid, const char *tid)
{
    char line[256];
    char *end;
    errno = 0;
    if (!read_line(pid, tid, "syscall", line, sizeof(line))) {
        seen->denied |= errno == EACCES || errno == EPERM;
        return;
    }
    long number = strtol(line, &end, 10);
    if (end == line || !lh_is_epoll_wait(number))
        return;
    seen->call = lh_syscall_name((int32_t)number);
    if (!read_line(pid, tid, "comm", seen->thread, sizeof(seen->thread)))
        seen->thread[0] = '\0';
}

static void look_at_children(struct lh_run_seen *seen, pid_t pid, const char *tid, int *left);

static void look_at_process(struct lh_run_seen *seen, pid_t pid, int *left)
{
    char path[32];
    const struct dirent *entry;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = --*left >= 0 ? opendir(path) : NULL;
    if (tasks == NULL)
        return;
    while (seen->call == NULL && (entry = readdir(tasks)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        look_at_thread(seen, pid, entry->d_name);
        look_at_children(seen, pid, entry->d_name, left);
    }
    closedir(tasks);
}

/* Where the kernel does not list them, they are not looked at. */
static void look_at_children(struct lh_run_seen *seen, pid_t pid, const char *tid, int *left)
{
    char line[1024];
    char *next = line;
    if (!read_line(pid, tid, "children", line, sizeof(line)))
        return;
    for (;;) {
        char *number = next;
        long child = strtol(number, &next, 10);
        if (next == number || seen->call != NULL)
            return;
        look_at_process(seen, (pid_t)child, left);
    }
}

void lh_run_seen_look(struct lh_run_seen *seen, pid_t pid)
{
    int left = PROCESSES_MAX;
    if (now_ms() < seen->due_ms)
        return;
    look_at_process(seen, pid, &left);
    seen->wait_ms += (seen->wait_ms + 1) / 2;
    bool over = seen->call != NULL || seen->wait_ms > LAST_MS;
    seen->due_ms = over ? INT64_MAX : now_ms() + seen->wait_ms;
}
