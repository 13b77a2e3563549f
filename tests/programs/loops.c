/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a loop thread, and what ends it: sleeps in functions that say when they are made.
 *
 *   loops epoll     a loop found by its first epoll_wait, until its epoll set is closed
 *   loops thrice    a loop that sleeps three times
 *   loops threads   two loop threads, named io-1 and other; then both end
 *   loops named     threads that never park: io-1, one that has its name from it, and another
 *   loops crowd     500 loop threads, which all sleep at the same time
 *   loops poll      a main thread that waits in poll() only
 *   loops vfork     a loop whose child of vfork closes its copy of the epoll set
 *   loops shared    two threads at one epoll set, of which one waits for a condition meanwhile
 *   loops handed    a loop starts a thread that parks in its place, works, and comes back
 *   loops joined    a thread that somebody else starts parks there too
 *   loops inline    a loop that parks, for two seconds, by a system call of its own
 *   loops syscall   a loop that parks by syscall(2), the second time for longer than it sleeps
 *   loops number    a loop whose epoll set is closed by that way, after what closes nothing of it;
 *                   also range, range-by-number, duplicate, duplicate-by-number, from
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "processor.h"
#include "settled.h"

/* An older system's headers and libc lack them: there the numbers do. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#if !__GLIBC_PREREQ(2, 34)
#define close_range(first, last, flags) (int)syscall(SYS_close_range, first, last, flags)
static void closefrom(int first)
{
    syscall(SYS_close_range, first, ~0U, 0);
}
#endif

static volatile int not_the_last_call;

static void wait_200_ms(void)
{
    const struct timespec time = {0, 200 * 1000000L};
    nanosleep(&time, NULL);
}

#define SLEEPER(name)                                                                              \
    static void name(void)                                                                         \
    {                                                                                              \
        wait_200_ms();                                                                             \
        not_the_last_call = __COUNTER__; /* differs */                                             \
    }

SLEEPER(before_first_park)
SLEEPER(on_loop)
SLEEPER(after_close)
SLEEPER(on_second_loop)
SLEEPER(on_io_1)
SLEEPER(on_other)
SLEEPER(in_main)

static pthread_barrier_t meeting;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void condition_for_200_ms(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 200 * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000L;
    deadline.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&never, &mutex, &deadline) == 0)
        continue;
    pthread_mutex_unlock(&mutex);
}

static void in_a_handler(void)
{
    volatile unsigned char stack_of_a_handler[1024];
    stack_of_a_handler[0] = 0;
    condition_for_200_ms();
    not_the_last_call = stack_of_a_handler[0];
}

static int park(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    settle(set);
    return set;
}

static void park_by_a_scheduler(int set)
{
    volatile unsigned char stack_of_a_scheduler[512];
    struct epoll_event event;
    stack_of_a_scheduler[0] = 0;
    epoll_wait(set, &event, 1, 0);
    not_the_last_call = stack_of_a_scheduler[0];
}

static void *other_scheduler(void *set)
{
    park_by_a_scheduler(*(int *)set);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return NULL;
}

/* A thread that waits for a condition is blocked while it is alone at its epoll set; while another
 * one is there too, only if it does so in a handler. */
static int shared(void)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    pthread_t thread;
    park_by_a_scheduler(set);
    condition_for_200_ms();
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_create(&thread, NULL, other_scheduler, &set);
    pthread_barrier_wait(&meeting);
    park_by_a_scheduler(set);
    condition_for_200_ms();
    in_a_handler();
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
    return 0;
}

static int shared_set;

static void *parks_there(void *barrier)
{
    park_by_a_scheduler(shared_set);
    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier);
    return NULL;
}

static void give_the_loop_away(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, parks_there, &meeting);
    pthread_barrier_wait(&meeting);
    after_close();
    condition_for_200_ms();
    after_close();
    park_by_a_scheduler(shared_set);
    on_loop();
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
}

static int handed(void)
{
    shared_set = epoll_create1(EPOLL_CLOEXEC);
    pthread_barrier_init(&meeting, NULL, 2);
    park_by_a_scheduler(shared_set);
    give_the_loop_away();
    return 0;
}

static void *is_joined(void *unused)
{
    park_by_a_scheduler(shared_set);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    on_loop();
    return unused;
}

static int joined(void)
{
    static pthread_barrier_t other_meeting;
    pthread_t first, second;
    pthread_barrier_init(&other_meeting, NULL, 2);
    shared_set = epoll_create1(EPOLL_CLOEXEC);
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_create(&first, NULL, is_joined, NULL);
    pthread_barrier_wait(&meeting);
    pthread_create(&second, NULL, parks_there, &other_meeting);
    pthread_barrier_wait(&other_meeting);
    pthread_barrier_wait(&meeting);
    pthread_join(first, NULL);
    pthread_barrier_wait(&other_meeting);
    pthread_join(second, NULL);
    return 0;
}

static int epoll(void)
{
    before_first_park();
    int set = park();
    on_loop();
    close(set);
    after_close();
    set = park();
    on_second_loop();
    close(set);
    return 0;
}

static int by_syscall(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    before_first_park();
    syscall(SYS_epoll_pwait, set, &event, 1, 0, NULL, 8);
    on_loop();
    syscall(SYS_epoll_pwait, set, &event, 1, 250, NULL, 8);
    close(set);
    after_close();
    return 0;
}

/* As a runtime does that makes its system calls itself: syscall(2), Architecture calling
 * conventions. */
static int inline_call(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    long returned = kernel_call(SYS_epoll_pwait, set, (long)&event, 1, 2000, 0, 8);
    return returned == 0 ? 0 : 3;
}

static int thrice(void)
{
    int set = park();
    for (int i = 0; i < 3; i++)
        on_loop();
    return close(set);
}

static void *io_1(void *unused)
{
    pthread_setname_np(pthread_self(), "io-1");
    int set = park();
    on_io_1();
    close(set);
    return unused;
}

static void *other(void *unused)
{
    pthread_setname_np(pthread_self(), "other");
    int set = park();
    on_other();
    close(set);
    return unused;
}

static int threads(void)
{
    pthread_t both[2];
    pthread_create(&both[0], NULL, io_1, NULL);
    pthread_create(&both[1], NULL, other, NULL);
    pthread_join(both[0], NULL);
    pthread_join(both[1], NULL);
    return 0;
}

static void *inherits_its_name(void *unused)
{
    on_other();
    return unused;
}

static void *takes_a_name(void *unused)
{
    pthread_t thread;
    pthread_setname_np(pthread_self(), "io-1");
    on_io_1();
    pthread_create(&thread, NULL, inherits_its_name, NULL);
    pthread_join(thread, NULL);
    return unused;
}

static void *has_another_name(void *unused)
{
    pthread_setname_np(pthread_self(), "other");
    on_loop();
    return unused;
}

static int named(void)
{
    pthread_t both[2];
    pthread_create(&both[0], NULL, takes_a_name, NULL);
    pthread_create(&both[1], NULL, has_another_name, NULL);
    pthread_join(both[0], NULL);
    pthread_join(both[1], NULL);
    return 0;
}

static void close_by_number(int set)
{
    syscall(SYS_close, set);
}

static void close_by_range(int set)
{
    close_range((unsigned)set, (unsigned)set, 0);
}

static void close_by_range_by_number(int set)
{
    syscall(SYS_close_range, set, ~0U, 0);
}

static void close_by_duplicate(int set)
{
    dup2(STDERR_FILENO, set);
}

static void close_by_duplicate_by_number(int set)
{
    syscall(SYS_dup3, STDERR_FILENO, set, O_CLOEXEC);
}

static int closed(void (*close_it)(int set))
{
    int set = park();
    int other_one = dup(STDERR_FILENO);
    close_by_range(other_one);
    dup2(set, set);
    close_range((unsigned)set, ~0U, CLOSE_RANGE_CLOEXEC);
    on_loop();
    close_it(set);
    after_close();
    return 0;
}

static int by_number(void)
{
    return closed(close_by_number);
}

static int by_range(void)
{
    return closed(close_by_range);
}

static int by_range_by_number(void)
{
    return closed(close_by_range_by_number);
}

static int by_duplicate(void)
{
    return closed(close_by_duplicate);
}

static int by_duplicate_by_number(void)
{
    return closed(close_by_duplicate_by_number);
}

static int from(void)
{
    return closed(closefrom);
}

#define CROWD 500

static void *one_of_a_crowd(void *unused)
{
    int set = park();
    pthread_barrier_wait(&meeting);
    on_loop();
    close(set);
    return unused;
}

static int crowd(void)
{
    static pthread_t members[CROWD];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_barrier_init(&meeting, NULL, CROWD);
    for (int i = 0; i < CROWD; i++)
        if (pthread_create(&members[i], &attributes, one_of_a_crowd, NULL) != 0)
            return 3;
    for (int i = 0; i < CROWD; i++)
        pthread_join(members[i], NULL);
    return 0;
}

static int vfork_closes(void)
{
    int set = park();
    pid_t child = vfork(); /* NOLINT: what runtimes do is what is tested */
    if (child == 0) {
        close(set); /* NOLINT */
        _exit(0);
    }
    on_loop();
    return close(set);
}

static int poll_only(void)
{
    poll(NULL, 0, 1);
    in_main();
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    static const struct {
        const char *name;
        int (*run)(void);
    } scenarios[] = {{"epoll", epoll},
                     {"thrice", thrice},
                     {"threads", threads},
                     {"poll", poll_only},
                     {"vfork", vfork_closes},
                     {"syscall", by_syscall},
                     {"shared", shared},
                     {"number", by_number},
                     {"named", named},
                     {"inline", inline_call},
                     {"handed", handed},
                     {"joined", joined},
                     {"crowd", crowd},
                     {"range", by_range},
                     {"range-by-number", by_range_by_number},
                     {"duplicate", by_duplicate},
                     {"duplicate-by-number", by_duplicate_by_number},
                     {"from", from}};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(what, scenarios[i].name) == 0)
            return scenarios[i].run();
    return 2;
}
