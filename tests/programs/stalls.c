/* SPDX-License-Identifier: Apache-2.0 */
/* A loop whose iterations take long in each of the ways that are no single block.
 *
 *   stalls
 * compute|sleeps|mixed|block|allowed|clean|forever|handler|ignored|blocked|blocked_one|later|sent|
 * stopped|noted|held|held_in_call|starved|leave|inline|threads
 *
 * Prints what it truly spent in the iteration, in milliseconds: wall time, CPU time, and time in
 * which it waited for a processor; first as it is between the two waits of the loop, then with
 * them: the truth of the library, which looks in the waits' wrappers, lies between. */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "processor.h"
#include "settled.h"

#define MS 1000000LL

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* Readings of three clocks. */
struct spent {
    int64_t wall_ns, cpu_ns, delay_ns;
};

/* pread(2) at the start, or read(2), as a runtime does that has no use for libc. */
__attribute__((noclone)) static long read_by_hand(long number, int fd, void *buf, size_t size)
{
    return kernel_call(number, fd, (long)buf, (long)size, 0, 0, 0);
}

/* Open on /proc/thread-self/schedstat. */
static __thread int schedstat;

/* The time for which this thread has waited for a processor: Documentation/scheduler/
 * sched-stats.rst of Linux. 0 where the kernel does not count it. No call of the loop's. */
static int64_t run_delay_ns(void)
{
    char text[64] = "";
    long length = read_by_hand(SYS_pread64, schedstat, text, sizeof(text) - 1);
    const char *delay = length > 0 ? strchr(text, ' ') : NULL;
    return delay != NULL ? atoll(delay) : 0;
}

static struct spent spent_now(void)
{
    return (struct spent){now_ns(CLOCK_MONOTONIC), now_ns(CLOCK_THREAD_CPUTIME_ID), run_delay_ns()};
}

static void print_spent(const struct spent *from, const struct spent *to)
{
    printf("%.3f %.3f %.3f\n", (double)(to->wall_ns - from->wall_ns) / MS,
           (double)(to->cpu_ns - from->cpu_ns) / MS, (double)(to->delay_ns - from->delay_ns) / MS);
}

static void sleep_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * MS};
    nanosleep(&time, NULL);
}

static void compute_ms(int ms)
{
    int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ms * MS;
    volatile double x = 1;
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
        for (int i = 0; i < 20000; i++)
            x = x * 1.0000001 + 1;
}

static void compute(void)
{
    compute_ms(300);
}

static void sleeps(void)
{
    for (int i = 0; i < 150; i++)
        sleep_ms(6);
}

static void mixed(void)
{
    compute_ms(400);
    sleeps();
}

/* One block, and not enough beside it to be a stall. */
static void block(void)
{
    compute_ms(20);
    sleep_ms(1500);
}

/* One block, and beside it enough. */
static void block_and_compute(void)
{
    sleep_ms(300);
    compute_ms(200);
}

static void allowed(void)
{
    int (*begin)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "loophound_allow_begin");
    int (*end)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "loophound_allow_end");
    if (begin != NULL)
        begin();
    compute_ms(200);
    sleeps();
    if (end != NULL)
        end();
}

static void clean(void)
{
    compute_ms(10);
    sleep_ms(5);
}

static void forever(void)
{
    for (;;)
        compute_ms(1000);
}

/* Stopped until its parent, which sees that, has it continue. */
static void stopped(void)
{
    raise(SIGSTOP);
}

/* The thread of this name, or 0: proc(5). */
static int find_thread(const char *name)
{
    int found = 0;
    char path[64];
    char comm[32];
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        (void)snprintf(path, sizeof path, "/proc/self/task/%.10s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        if (fgets(comm, sizeof comm, file) != NULL && strcmp(strtok(comm, "\n"), name) == 0)
            found = atoi(entry->d_name);
        fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return found;
}

/* How often this thread has gone to sleep. */
static long sleeps_of(int tid)
{
    long count = -1;
    char path[64];
    char line[128];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return count;
}

/* Stopped, and then in the same iteration until the watchdog has been awake and sleeps again. */
static void stopped_and_noted(void)
{
    int watchdog = find_thread("loophound");
    if (watchdog == 0)
        exit(3);
    raise(SIGSTOP);
    long before = sleeps_of(watchdog);
    while (sleeps_of(watchdog) == before)
        sleep_ms(1);
}

/* Until it has been held by somebody else for a while, as its clock tells. */
static void held(void)
{
    int64_t last;
    int64_t now = now_ns(CLOCK_MONOTONIC);
    puts("hold me");
    (void)fflush(stdout);
    do {
        last = now;
        now = now_ns(CLOCK_MONOTONIC);
    } while (now - last < 1000 * MS);
}

/* The same in one call: until a byte comes. */
static void held_in_call(void)
{
    char byte;
    puts("hold me");
    (void)fflush(stdout);
    if (read(STDIN_FILENO, &byte, 1) != 1)
        abort();
}

/* The thread of this name is to run only where nobody else wants to. */
static void starve(const char *name)
{
    DIR *directory = opendir("/proc/self/task");
    const struct dirent *entry;
    if (directory == NULL)
        abort();
    while ((entry = readdir(directory)) != NULL) {
        const struct sched_param none = {0};
        char path[300];
        char comm[32] = "";
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0 &&
            strncmp(comm, name, strlen(name)) == 0)
            sched_setscheduler(atoi(entry->d_name), SCHED_IDLE, &none);
        close(fd);
    }
    closedir(directory);
}

static void *compute_for_ever(void *argument)
{
    (void)argument;
    forever();
    return NULL;
}

/* One block, in which the watchdog gets no processor, where the process has but one. */
static void starved(void)
{
    pthread_t other;
    for (int i = 0; i < 8; i++)
        pthread_create(&other, NULL, compute_for_ever, NULL);
    starve("loophound");
    sleep_ms(300);
}

/* Ends the process from inside the iteration. */
static void leave(void)
{
    compute_ms(300);
    exit(0);
}

static void *write_later(void *fd)
{
    sleep_ms(400);
    if (write(*(int *)fd, "x", 1) != 1)
        abort();
    return NULL;
}

static void wait_by_hand(void)
{
    pthread_t writer;
    char byte = 0;
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    pthread_create(&writer, NULL, write_later, &fds[1]);
    if (read_by_hand(SYS_read, fds[0], &byte, 1) != 1 || byte != 'x')
        abort();
    pthread_join(writer, NULL);
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    handled += number == SIGURG;
}

/* A program that has a handler of its own for the sampling signal. */
static void handler(void)
{
    signal(SIGURG, on_signal);
    compute_ms(300);
    if (handled != 0)
        exit(3);
}

/* One that ignores it. */
static void ignored(void)
{
    signal(SIGURG, SIG_IGN);
    compute_ms(300);
    if (signal(SIGURG, SIG_DFL) != SIG_IGN)
        exit(3);
}

static void compute_without(const sigset_t *signals)
{
    sigset_t before;
    sigset_t waiting;
    pthread_sigmask(SIG_BLOCK, signals, &before);
    compute_ms(300);
    sigpending(&waiting);
    for (int number = 1; number <= SIGRTMAX; number++)
        if (sigismember(signals, number) == 1 && sigismember(&waiting, number) == 1)
            exit(3);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void blocked(void)
{
    sigset_t all;
    sigfillset(&all);
    compute_without(&all);
}

static void blocked_one(void)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGURG);
    compute_without(&one);
}

/* One that takes the signal while it is sampled by it, and has been told of none before. */
static void later(void)
{
    compute_ms(200);
    struct sigaction before;
    const struct sigaction own = {.sa_handler = on_signal};
    if (sigaction(SIGURG, &own, &before) != 0 || before.sa_handler != SIG_DFL)
        exit(3);
    compute_ms(300);
    if (handled != 0)
        exit(3);
    raise(SIGURG);
    if (handled != 1)
        exit(3);
}

/* One that ends itself by a signal for which it has no handler, while it is sampled by that. */
static void sent(void)
{
    compute_ms(200);
    raise(SIGRTMAX);
}

static void turn(int fd, int timeout_ms)
{
    struct epoll_event event;
    epoll_wait(fd, &event, 1, timeout_ms);
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {{"compute", compute},
            {"sleeps", sleeps},
            {"mixed", mixed},
            {"block", block},
            {"both", block_and_compute},
            {"allowed", allowed},
            {"clean", clean},
            {"forever", forever},
            {"handler", handler},
            {"blocked", blocked},
            {"stopped", stopped},
            {"noted", stopped_and_noted},
            {"held", held},
            {"leave", leave},
            {"inline", wait_by_hand},
            {"ignored", ignored},
            {"later", later},
            {"blocked_one", blocked_one},
            {"sent", sent},
            {"starved", starved},
            {"held_in_call", held_in_call}};

static void run_loop(void (*way)(void))
{
    schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    int fd = epoll_create1(EPOLL_CLOEXEC);
    turn(fd, 0);
    settle(fd);
    turn(fd, 40);
    struct spent outer_begin = spent_now();
    turn(fd, 0);
    struct spent begin = spent_now();
    way();
    struct spent end = spent_now();
    turn(fd, 0);
    struct spent outer_end = spent_now();
    turn(fd, 10);
    print_spent(&begin, &end);
    print_spent(&outer_begin, &outer_end);
    close(fd);
}

static void *thread_main(void *argument)
{
    (void)argument;
    run_loop(compute);
    return NULL;
}

/* Two loops that compute at the same time. */
static int threads(void)
{
    pthread_t other;
    pthread_create(&other, NULL, thread_main, NULL);
    run_loop(compute);
    pthread_join(other, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "threads") == 0)
        return threads();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(name, ways[i].name) == 0) {
            run_loop(ways[i].run);
            return 0;
        }
    return 2;
}
