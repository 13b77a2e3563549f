/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that are cancelled while they wait: cancellation WAY.
 *
 * all: in each cancellation point of the table, deferred and asynchronously, on a loop thread and
 * elsewhere: one line each, of what the thread left behind.
 *
 * cleanup: on a loop thread, whose cleanup handler then blocks for BLOCK_MS: out of its park, and
 * out of a call.
 *
 * long: on a loop thread, out of a call, when SIGUSR1 says so.
 *
 * storm: loop threads in the middle of calls, asynchronously, CANCELLED times.
 *
 * It ends with abort() where a cancellation does not do what it should. */
#include <stdatomic.h>

#include "cancellation_points.h"

#define BLOCK_MS  150
#define CANCELLED 200

/* ---- the thread that is cancelled ---- */

struct victim {
    void (*wait)(void);
    long number;          /* of the system call in which it is cancelled; 0: any */
    void (*before)(void); /* it is cancelled, when it waits; or NULL */
    void (*after)(void);  /* in its cleanup handler; or NULL */
    bool loop;
    bool asynchronous;
    _Atomic pid_t tid; /* set when it is about to wait */
    int set;
    int cleaned;  /* how often its cleanup handler ran */
    bool unlocks; /* it had the mutex in there */
};

static void clean_up(void *argument)
{
    struct victim *victim = argument;
    victim->cleaned++;
    if (victim->after != NULL)
        victim->after();
    victim->unlocks = pthread_mutex_trylock(&mutex) == EBUSY && pthread_mutex_unlock(&mutex) == 0;
    if (victim->loop)
        close(victim->set);
}

static void *run_victim(void *argument)
{
    struct victim *victim = argument;
    int type;
    pthread_mutex_lock(&mutex); /* what waits for a condition comes back with it */
    if (victim->loop)
        victim->set = begin_loop();
    pthread_cleanup_push(clean_up, victim);
    if (victim->asynchronous)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    atomic_store(&victim->tid, (pid_t)syscall(SYS_gettid));
    victim->wait();
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
    pthread_cleanup_pop(1);
    return NULL;
}

/* In this system call, or in any (0): proc_pid_syscall(5) has its number and arguments then. */
static void wait_until_asleep(pid_t tid, long number)
{
    char path[64];
    char line[256];
    check(snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid) > 0);
    for (bool asleep = false; !asleep;) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        asleep = read(fd, line, sizeof(line)) > 0 && line[0] != 'r' &&
                 (number == 0 || strtol(line, NULL, 10) == number);
        close(fd);
        sched_yield();
    }
}

static void wait_for_signal(void)
{
    sigset_t usr1;
    int number;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    check(sigwait(&usr1, &number) == 0);
}

static void cancel(struct victim *victim)
{
    void *result = NULL;
    pthread_t thread;
    check(pthread_create(&thread, NULL, run_victim, victim) == 0);
    while (atomic_load(&victim->tid) == 0)
        sched_yield();
    wait_until_asleep(atomic_load(&victim->tid), victim->number);
    if (victim->before != NULL)
        victim->before();
    check(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
    check(result == PTHREAD_CANCELED);
}

static void cancel_in(const struct point *point, bool loop, bool asynchronous)
{
    struct victim victim = {
        .wait = point->wait, .number = point->number, .loop = loop, .asynchronous = asynchronous};
    cancel(&victim);
    printf("%s %s %s: cleaned up %d, mutex %s\n", point->name,
           asynchronous ? "asynchronously" : "deferred", loop ? "on a loop" : "elsewhere",
           victim.cleaned, victim.unlocks ? "held" : "lost");
}

static void cancel_in_all(void)
{
    make_things();
    for (size_t i = 0; i < ROWS(points); i++) {
        for (unsigned kind = 0; kind < 4; kind++)
            cancel_in(&points[i], kind & 1, kind & 2);
    }
    remove_things();
}

/* ---- what comes after a cancelled call ---- */

static __thread int victims_set;

static void park_on_own_set(void)
{
    struct epoll_event event;
    victims_set = begin_loop();
    epoll_wait(victims_set, &event, 1, -1);
}

static void read_what_never_comes(void)
{
    victims_set = begin_loop();
    wait_read();
}

static void block_in_cleanup(void)
{
    sleep_ms(BLOCK_MS);
    close(victims_set);
}

static void block_after_cancellation(void)
{
    static void (*const waits[])(void) = {park_on_own_set, read_what_never_comes};
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, empty) == 0);
    for (size_t i = 0; i < ROWS(waits); i++) {
        struct victim victim = {.wait = waits[i], .after = block_in_cleanup};
        cancel(&victim);
        printf("cleaned up %d\n", victim.cleaned);
    }
}

static void close_set(void)
{
    close(victims_set);
}

static void cancel_a_long_call(void)
{
    struct victim victim = {
        .wait = read_what_never_comes, .before = wait_for_signal, .after = close_set};
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, empty) == 0);
    cancel(&victim);
    printf("cleaned up %d\n", victim.cleaned);
}

/* ---- in the middle of calls ---- */

static void *call_without_end(void *started)
{
    int set = begin_loop();
    int type;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    atomic_store((_Atomic bool *)started, true);
    for (;;) {
        turn(set);
        (void)!write(full_pipe[1], bytes, 1);
        (void)!read(full_pipe[0], bytes, 1);
    }
    return NULL;
}

static void cancel_in_storm(void)
{
    check(pipe(full_pipe) == 0);
    for (int i = 0; i < CANCELLED; i++) {
        _Atomic bool started = false;
        void *result = NULL;
        pthread_t thread;
        check(pthread_create(&thread, NULL, call_without_end, &started) == 0);
        while (!atomic_load(&started))
            sched_yield();
        for (int spin = i * 997 % 20000; spin > 0; spin--)
            __asm__ volatile("");
        check(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
        check(result == PTHREAD_CANCELED);
        if (write(full_pipe[1], bytes, 1) == 1)
            check(read(full_pipe[0], bytes, 1) == 1);
    }
    puts("calm");
}

static const struct way ways[] = {
    {"all", cancel_in_all},
    {"cleanup", block_after_cancellation},
    {"long", cancel_a_long_call},
    {"storm", cancel_in_storm},
};

int main(int argc, char **argv)
{
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    return take_way(ways, ROWS(ways), argc > 1 ? argv[1] : NULL);
}
