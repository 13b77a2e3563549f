/* SPDX-License-Identifier: Apache-2.0 */
/* What all that the watchdog does costs: its ticks, and its being woken.
 *
 * Runs itself again with the library preloaded, for each row. The loops are threads that make turns
 * of a given length, the rest of the time they are parked, or asleep by a raw system call in the
 * middle of an iteration. Of the watchdog's thread the kernel says how long it ran
 * (sched-stats.rst) and how often it went to sleep (proc_pid_status(5)), and the same of a thread
 * that does nothing but sleep as long as a tick: so much it costs on this machine to wake at all.
 * Two processes, one of them watched, take turns of the same kind: what their loop's thread used is
 * the cost to the loop.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "figures.h"
#include "preloaded.h"

#define WINDOWS   15 /* of a row, each of WINDOW_MS; the median counts */
#define WINDOW_MS 200
#define PAIRS     60 /* of windows of the two processes */

static int (*plain_wait)(int, struct epoll_event *, int, int);

static void sleep_us(long us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};
    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

static double now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- the loops ---- */

struct turns {
    long period_us; /* from one turn to the next */
    long inside_us; /* asleep in the iteration; 0: parked all the time */
};

static struct turns turns;
static int (*loop_wait)(int, struct epoll_event *, int, int) = epoll_wait;

/* A turn: what the timer says is read past libc. */
static void turn(int set, int timer)
{
    struct epoll_event event;
    uint64_t times;
    loop_wait(set, &event, 1, -1);
    (void)!syscall(SYS_read, timer, &times, sizeof(times));
    if (turns.inside_us > 0)
        sleep_us(turns.inside_us);
}

static int make_timer(int set)
{
    const struct timespec period = {turns.period_us / 1000000, turns.period_us % 1000000 * 1000};
    const struct itimerspec times = {period, period};
    struct epoll_event wanted = {.events = EPOLLIN};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    timerfd_settime(timer, 0, &times, NULL);
    epoll_ctl(set, EPOLL_CTL_ADD, timer, &wanted);
    return timer;
}

static void *run_loop(void *unused)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    int timer = make_timer(set);
    (void)unused;
    for (;;)
        turn(set, timer);
    return NULL;
}

/* ---- the watchdog, as the kernel knows it ---- */

struct watchdog {
    double run_us, sleeps;
};

static double field_of(const char *path, const char *name)
{
    char line[256];
    double value = -1;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0) {
            value = strtod(line + strlen(name), NULL);
            break;
        }
    if (file != NULL)
        fclose(file);
    return value;
}

static bool is_watchdog(const char *tid)
{
    char path[320];
    char name[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", tid);
    FILE *file = fopen(path, "r");
    bool is =
        file != NULL && fgets(name, sizeof(name), file) != NULL && strcmp(name, "loophound\n") == 0;
    if (file != NULL)
        fclose(file);
    return is;
}

static struct watchdog look_at_watchdog(void)
{
    struct watchdog found = {0, 0};
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[320];
        if (!is_watchdog(task->d_name))
            continue;
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", task->d_name);
        found.run_us = field_of(path, "") / 1e3;
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", task->d_name);
        found.sleeps = field_of(path, "voluntary_ctxt_switches:");
    }
    closedir(tasks);
    return found;
}

/* ---- the rows ---- */

/* What of the watchdog's work is told. */
enum what { PERCENT, TICKS_OF_THOSE_DUE };

struct row {
    enum figure_id figure;
    enum what what;
    int threshold_ms;
    unsigned loops;
    struct turns turns;
};

static const struct row rows[] = {
    {FIGURE_watchdog_one_loop, PERCENT, 10, 1, {2500, 2000}},
    {FIGURE_watchdog_16_loops, PERCENT, 10, 16, {2500, 2000}},
    {FIGURE_watchdog_64_ticks, TICKS_OF_THOSE_DUE, 10, 64, {2500, 2000}},
    {FIGURE_watchdog_short_turns, PERCENT, 100, 1, {200, 0}},
    {FIGURE_watchdog_rare_turns, PERCENT, 100, 1, {100000, 0}},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* A thread that only sleeps, as long as a tick. Its own clock counts. */
struct sleeper {
    long tick_us;
    pthread_t thread;
};

static void *sleep_by_ticks(void *argument)
{
    for (;;)
        sleep_us(((struct sleeper *)argument)->tick_us);
    return NULL;
}

static double sleeper_run_us(const struct sleeper *sleeper)
{
    clockid_t clock;
    pthread_getcpuclockid(sleeper->thread, &clock);
    return now_us(clock);
}

static void measure(const struct row *row)
{
    static double percent[WINDOWS], ticks[WINDOWS], sleeper_percent[WINDOWS];
    static struct sleeper sleeper;
    turns = row->turns;
    sleeper.tick_us = row->threshold_ms * 250;
    pthread_create(&sleeper.thread, NULL, sleep_by_ticks, &sleeper);
    for (unsigned i = 0; i < row->loops; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, run_loop, NULL);
    }
    sleep_us(300000);
    for (size_t i = 0; i < WINDOWS; i++) {
        struct watchdog before = look_at_watchdog();
        double sleeper_us = sleeper_run_us(&sleeper);
        double began = now_us(CLOCK_MONOTONIC);
        sleep_us(WINDOW_MS * 1000);
        struct watchdog after = look_at_watchdog();
        double took_us = now_us(CLOCK_MONOTONIC) - began;
        percent[i] = 100 * (after.run_us - before.run_us) / took_us;
        sleeper_percent[i] = 100 * (sleeper_run_us(&sleeper) - sleeper_us) / took_us;
        ticks[i] = (after.sleeps - before.sleeps) * (double)sleeper.tick_us / took_us;
    }
    figure_tell(row->figure, "", figure_median(row->what == PERCENT ? percent : ticks, WINDOWS));
    if (row->figure == FIGURE_watchdog_one_loop)
        figure_tell(FIGURE_watchdog_sleeper, "", figure_median(sleeper_percent, WINDOWS));
}

/* ---- what the loop pays ---- */

#define TURNS 400 /* of 200 us */

static void serve(int fd, bool watched)
{
    char byte;
    int set = epoll_create1(EPOLL_CLOEXEC);
    turns = (struct turns){200, 0};
    loop_wait = watched ? epoll_wait : plain_wait;
    int timer = make_timer(set);
    turn(set, timer);
    while (read(fd, &byte, 1) == 1) {
        double used = -now_us(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < TURNS; i++)
            turn(set, timer);
        used += now_us(CLOCK_THREAD_CPUTIME_ID);
        if (write(fd, &used, sizeof(used)) != sizeof(used))
            return;
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

static double ask(int server)
{
    double used = 0;
    if (write(server, "", 1) != 1 || read(server, &used, sizeof(used)) != sizeof(used))
        exit(1);
    return used / TURNS;
}

static int compare_loops(void)
{
    static double ratio[PAIRS];
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    plain_wait = (int (*)(int, struct epoll_event *, int, int))dlsym(libc, "epoll_wait");
    int with = start_server(true);
    int without = start_server(false);
    for (size_t i = 0; i < PAIRS; i++) {
        double first = ask(i % 2 == 0 ? with : without);
        double second = ask(i % 2 == 0 ? without : with);
        ratio[i] = i % 2 == 0 ? first / second : second / first;
    }
    close(with);
    close(without);
    figure_tell(FIGURE_watchdog_turn, "", figure_median(ratio, PAIRS));
    return 0;
}

/* ---- */

/* Of the whole that is measured with the library: a row, or ROWS, what the loop pays. */
static int run_again(size_t which)
{
    static char name[] = "tick";
    char number[8];
    char threshold[16];
    char *arguments[] = {name, number, NULL};
    (void)snprintf(number, sizeof(number), "%zu", which);
    (void)snprintf(threshold, sizeof(threshold), "%dms",
                   which < ROWS ? rows[which].threshold_ms : 100);
    setenv("LOOPHOUND_THRESHOLD", threshold, 1);
    return run_with_library(arguments);
}

static int run_part(size_t which)
{
    if (which >= ROWS)
        return compare_loops();
    measure(&rows[which]);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc > 1)
        return run_part(strtoul(argv[1], NULL, 10));
    puts("the watchdog: its processor time, and its ticks");
    fflush(stdout);
    for (size_t i = 0; i <= ROWS; i++) {
        int status = 0;
        if (fork() == 0)
            _exit(run_again(i));
        wait(&status);
        failed |= status;
    }
    return failed != 0;
}
