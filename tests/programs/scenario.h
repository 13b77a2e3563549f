/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs calls_*.c share: one call made to wait, on or off an event loop.
 *
 *   calls_x list               names of its rows: symbol, and "ready" where there is such a form
 *   calls_x on SYMBOL MS       the call is made on the loop thread, and waits about MS milliseconds
 *   calls_x off SYMBOL MS      the same, on another thread while the loop thread waits for events
 *   calls_x ready SYMBOL MS    on the loop thread, in the form that cannot wait
 *   calls_x cancel SYMBOL MS   as "on", by a thread whose cancellation is pending: it prints
 * whether that was cancelled or the call returned; its cleanup handler calls usleep
 *
 * Each is also built as a library, build/programs/constructor/calls_x.so, that does the same in its
 * constructor, with the arguments of the program that loads it (host.c).
 *
 * It prints the call's true duration in ms, what the call returned, and errno after it. Nothing but
 * the call itself is made on the loop thread between the two parks, so whatever else is reported is
 * wrong. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"
#include "slow_syscall.h"

struct scenario {
    const char *symbol;
    void (*setup)(void);   /* before there is a loop thread */
    long (*call)(void);    /* exactly one interposed call */
    void (*release)(void); /* on a helper thread, MS after the call began to wait: ends the wait */
    void (*setup_ready)(void);
    long (*call_ready)(void); /* the same call, in the form that cannot wait; NULL: there is none */
    long slow_number; /* not 0: nothing but a slow kernel makes it wait: delay this syscall */
};

#define SPINS_NS                                                                                   \
    5000000 /* of its processor's time: a call that takes so long waits by computing               \
             */

static int own_set; /* the loop's epoll set */
static unsigned delay_ms;
__attribute__((unused)) static int pair[2]; /* the two ends of whatever a scenario talks over */

/* Who makes the call; what it had computed before. Read once `begun` says so. */
static pid_t caller_tid;
static clockid_t caller_clock;
static int64_t caller_begin_ns;

static sem_t begun;
static const struct scenario *current;
static int done_event;
static double true_ms;
static long result;
static int error;
static _Atomic bool cancelled;

static void die(const char *what)
{
    perror(what);
    exit(3);
}

#define CHECK(expression)                                                                          \
    do {                                                                                           \
        if (!(expression))                                                                         \
            die(#expression);                                                                      \
    } while (0)

static void pause_ms(unsigned ms)
{
    const struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&time, NULL);
}

/* MS from now, on the given clock. */
static inline struct timespec deadline(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += delay_ms * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

static void park(int timeout)
{
    struct epoll_event event;
    while (epoll_wait(own_set, &event, 1, timeout) < 0 && errno == EINTR)
        ;
}

static int64_t caller_cpu_ns(void)
{
    struct timespec now = {0, 0};
    clock_gettime(caller_clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Asleep in a system call, whose number proc_pid_syscall(5) tells then; or at a spin lock. Between
 * `begun` and the call there is nothing to wait for. */
static bool caller_waits(void)
{
    char path[64];
    char number = '-';
    CHECK(snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)caller_tid) > 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* it has ended: the call was over at once */
    bool told = read(fd, &number, 1) == 1;
    close(fd);
    return (told && number >= '0' && number <= '9') ||
           caller_cpu_ns() - caller_begin_ns >= SPINS_NS;
}

/* What it ends the wait for must have been asked for first, however busy the machine is. */
static void *help(void *unused)
{
    (void)unused;
    sem_wait(&begun);
    while (!caller_waits())
        pause_ms(1);
    pause_ms(delay_ms);
    if (!cancelled)
        current->release();
    return NULL;
}

static void begin(void)
{
    caller_tid = gettid();
    CHECK(pthread_getcpuclockid(pthread_self(), &caller_clock) == 0);
    caller_begin_ns = caller_cpu_ns();
    sem_post(&begun);
}

static void time_call(long (*call)(void))
{
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    errno = 0;
    result = call();
    error = errno;
    clock_gettime(CLOCK_MONOTONIC, &end);
    true_ms =
        (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
}

static void prepare_slow_call(void)
{
    if (current->slow_number)
        slow_syscall_begin(current->slow_number, delay_ms);
    begin();
}

static void make_slow_call(void)
{
    prepare_slow_call();
    time_call(current->call);
}

static void *off_loop(void *unused)
{
    (void)unused;
    make_slow_call();
    const uint64_t one = 1;
    CHECK(write(done_event, &one, sizeof one) == sizeof one);
    return NULL;
}

/* Further in on the stack than the call was. */
static void clean_up(void *unused)
{
    volatile char depth[16 * 1024];
    (void)unused;
    depth[0] = 0;
    (void)depth[0];
    cancelled = true;
    usleep(1000);
    close(own_set);
}

static void *make_cancelled_call(void *unused)
{
    int before;
    (void)unused;
    park(0);
    prepare_slow_call();
    pthread_cleanup_push(clean_up, NULL);
    pthread_cancel(pthread_self()); /* acts in the next cancellation point: pthreads(7) */
    time_call(current->call);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_cleanup_pop(0);
    close(own_set);
    return NULL;
}

static void run_cancelled(void)
{
    pthread_t worker;
    CHECK(pthread_create(&worker, NULL, make_cancelled_call, NULL) == 0);
    CHECK(pthread_join(worker, NULL) == 0);
}

/* Past stdout, which a scenario may have replaced. A stream whose call was cancelled may be stuck
 * in what it could not write, or gone: they are not looked at. */
static void end_cancelled(void)
{
    const char *said = cancelled ? "cancelled\n" : "returned\n";
    CHECK(write(STDOUT_FILENO, said, strlen(said)) == (ssize_t)strlen(said));
    if (!cancelled || pair[1] == 0)
        exit(0);
    CHECK(loophound_flush() == 0);
    _exit(0);
}

static void run(const char *where)
{
    const bool ready = strcmp(where, "ready") == 0;
    void (*setup)(void) = ready ? current->setup_ready : current->setup;
    pthread_t helper, worker;
    struct epoll_event event = {.events = EPOLLIN};

    own_set = epoll_create1(EPOLL_CLOEXEC);
    done_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(epoll_ctl(own_set, EPOLL_CTL_ADD, done_event, &event) == 0);
    if (setup)
        setup();
    if (current->release && !ready)
        CHECK(pthread_create(&helper, NULL, help, NULL) == 0);

    if (strcmp(where, "cancel") == 0) {
        run_cancelled();
        return;
    }
    park(0); /* from here on this is a loop thread */
    if (strcmp(where, "off") == 0) {
        CHECK(pthread_create(&worker, NULL, off_loop, NULL) == 0);
        park(-1);
    } else {
        if (ready)
            time_call(current->call_ready);
        else
            make_slow_call();
        park(0);
    }
    CHECK(close(own_set) == 0); /* no loop thread any more: the program may clear up */
}

static int scenario_main(int argc, char **argv, const struct scenario *rows, size_t count)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < count; i++)
            printf("%s%s\n", rows[i].symbol, rows[i].call_ready ? " ready" : "");
        return 0;
    }
    for (size_t i = 0; argc == 4 && i < count; i++)
        if (strcmp(rows[i].symbol, argv[2]) == 0)
            current = &rows[i];
    if (!current) {
        fprintf(stderr, "usage: %s list | on|off|ready|cancel SYMBOL MS\n", argv[0]);
        return 2;
    }
    delay_ms = (unsigned)atoi(argv[3]);
    sem_init(&begun, 0, 0);
    alarm(50); /* a scenario that hangs is a failed one */
    run(argv[1]);
    if (strcmp(argv[1], "cancel") == 0)
        end_cancelled();
    printf("%.3f %ld %d\n", true_ms, result, error);
    return 0;
}

#ifdef SCENARIO_IN_CONSTRUCTOR
/* glibc calls constructors as it calls main(). Children, which inherit LD_PRELOAD, do nothing. */
#define SCENARIO_MAIN(rows)                                                                        \
    __attribute__((constructor)) static void construct(int argc, char **argv)                      \
    {                                                                                              \
        int failed = 0;                                                                            \
        if (strcmp(program_invocation_short_name, "host") == 0)                                    \
            failed = scenario_main(argc, argv, rows, sizeof(rows) / sizeof((rows)[0]));            \
        if (failed != 0)                                                                           \
            exit(failed);                                                                          \
    }
#else
#define SCENARIO_MAIN(rows)                                                                        \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return scenario_main(argc, argv, rows, sizeof(rows) / sizeof((rows)[0]));                  \
    }

#endif

#endif
