/* SPDX-License-Identifier: Apache-2.0 */
/* What the watchdog costs a loop that is idle, and one that is busy.
 *
 * Runs itself again with the library preloaded, for each threshold: the watchdog ticks four times
 * in it. Two children are asked for the same work in turn, one that is watched and one that is not:
 * the median of the ratios of neighbouring runs is the cost, of CPU time, all threads. The work is
 * done by libc's own calls, so that the wrappers of the watched one are not in it. What the
 * watchdog's thread itself has used is told as a part of the time that passed. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "figures.h"
#include "preloaded.h"

#define BUSY_PAIRS 201
#define IDLE_PAIRS 9
#define TURNS      20  /* of a busy run … */
#define TURN_US    500 /* … each so long */
#define IDLE_TURNS 10
#define IDLE_MS    50

static ssize_t (*plain_read)(int, void *, size_t);
static int (*plain_wait)(int, struct epoll_event *, int, int);
static int (*loop_wait)(int, struct epoll_event *, int, int); /* the wrapper, where watched */

static double now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* A fixed amount of work, which takes about TURN_US: measured once, in the parent. */
static unsigned work_steps = 1000;

static void work(void)
{
    volatile double x = 1;
    for (unsigned i = 0; i < work_steps; i++)
        x = x * 1.0000001 + 1;
}

static void measure_work(void)
{
    double us = 0;
    while (us < TURN_US) {
        double start = now_us(CLOCK_THREAD_CPUTIME_ID);
        work();
        us = now_us(CLOCK_THREAD_CPUTIME_ID) - start;
        if (us < TURN_US)
            work_steps += work_steps / 4;
    }
}

static void run_busy(int set, int event_fd)
{
    for (int i = 0; i < TURNS; i++) {
        struct epoll_event event;
        eventfd_t value;
        eventfd_write(event_fd, 1);
        loop_wait(set, &event, 1, -1);
        (void)!plain_read(event_fd, &value, sizeof(value));
        work();
    }
}

static void run_idle(int set)
{
    struct epoll_event event;
    for (int i = 0; i < IDLE_TURNS; i++)
        loop_wait(set, &event, 1, IDLE_MS);
}

/* What the kernel says of the thread of this name: sched-stats.rst, the first number, in ns. */
static double watchdog_us(void)
{
    DIR *tasks = opendir("/proc/self/task");
    double us = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[320];
        char name[32] = "";
        double ns = 0;
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "r");
        bool ours = file != NULL && fgets(name, sizeof(name), file) != NULL &&
                    strcmp(name, "loophound\n") == 0;
        if (file != NULL)
            fclose(file);
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", task->d_name);
        file = ours ? fopen(path, "r") : NULL;
        if (file != NULL && fscanf(file, "%lf", &ns) == 1)
            us = ns / 1e3;
        if (file != NULL)
            fclose(file);
    }
    closedir(tasks);
    return us;
}

/* What one run used. */
struct used {
    double cpu_us;
    double watchdog_us;
    double wall_us;
};

static struct used measure(bool idle, int set, int event_fd)
{
    struct used used = {.watchdog_us = -watchdog_us()};
    used.wall_us = -now_us(CLOCK_MONOTONIC);
    used.cpu_us = -now_us(CLOCK_PROCESS_CPUTIME_ID);
    if (idle)
        run_idle(set);
    else
        run_busy(set, event_fd);
    used.cpu_us += now_us(CLOCK_PROCESS_CPUTIME_ID);
    used.wall_us += now_us(CLOCK_MONOTONIC);
    used.watchdog_us += watchdog_us();
    return used;
}

static void serve(int fd, bool watched)
{
    struct epoll_event event;
    bool idle;
    int set = epoll_create1(EPOLL_CLOEXEC);
    int event_fd = eventfd(0, EFD_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN};
    loop_wait = watched ? epoll_wait : plain_wait;
    epoll_ctl(set, EPOLL_CTL_ADD, event_fd, &wanted);
    loop_wait(set, &event, 1, 0);
    while (plain_read(fd, &idle, sizeof(idle)) == sizeof(idle)) {
        struct used used = measure(idle, set, event_fd);
        if (write(fd, &used, sizeof(used)) != sizeof(used))
            return;
        /* Between the runs it parks, as loops do. */
        struct epoll_event request = {.events = EPOLLIN};
        epoll_ctl(set, EPOLL_CTL_ADD, fd, &request);
        loop_wait(set, &event, 1, -1);
        epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
    }
}

static int start_server(bool watched)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        exit(1);
    if (fork() != 0) {
        close(ends[1]);
        return ends[0];
    }
    close(ends[0]);
    serve(ends[1], watched);
    _exit(0);
}

static struct used ask(int server, bool idle)
{
    struct used used;
    if (write(server, &idle, sizeof(idle)) != sizeof(idle) ||
        read(server, &used, sizeof(used)) != sizeof(used))
        exit(1);
    return used;
}

static void compare_runs(const char *name, int with, int without, bool idle, size_t pairs)
{
    static double ratios[BUSY_PAIRS];
    static double alone[BUSY_PAIRS];
    char thing[64];
    for (size_t i = 0; i < pairs; i++) {
        bool with_first = i % 2 == 0;
        struct used first = ask(with_first ? with : without, idle);
        struct used second = ask(with_first ? without : with, idle);
        const struct used *watched = with_first ? &first : &second;
        const struct used *bare = with_first ? &second : &first;
        ratios[i] = watched->cpu_us / bare->cpu_us;
        alone[i] = 100 * watched->watchdog_us / watched->wall_us;
    }
    snprintf(thing, sizeof(thing), "%s %s", getenv("LOOPHOUND_THRESHOLD"), name);
    figure_tell(FIGURE_watchdog_cpu, thing, figure_median(ratios, pairs));
    figure_tell(FIGURE_watchdog_alone, thing, figure_median(alone, pairs));
}

static int compare_children(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    plain_read = (ssize_t(*)(int, void *, size_t))dlsym(libc, "read");
    plain_wait = (int (*)(int, struct epoll_event *, int, int))dlsym(libc, "epoll_wait");
    if (plain_wait == epoll_wait)
        return 1;
    measure_work();
    int with = start_server(true);
    int without = start_server(false);
    compare_runs("busy", with, without, false, BUSY_PAIRS);
    compare_runs("idle", with, without, true, IDLE_PAIRS);
    close(with);
    close(without);
    return 0;
}

static int run_children(const char *threshold)
{
    static char name[] = "watchdog", children[] = "children";
    char *arguments[] = {name, children, NULL};
    setenv("LOOPHOUND_THRESHOLD", threshold, 1);
    return run_with_library(arguments);
}

int main(int argc, char **argv)
{
    static const char *const thresholds[] = {"100ms", "10ms"};
    int failed = 0;
    (void)argv;
    if (argc > 1)
        return compare_children();
    puts("a loop that is watched, against one that is not: processor time of the process");
    fflush(stdout);
    for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
        int status = 0;
        if (fork() == 0)
            _exit(run_children(thresholds[i]));
        wait(&status);
        failed |= status;
    }
    return failed != 0;
}
