/* SPDX-License-Identifier: Apache-2.0 */
/* What a wrapper adds, in ns per call.
 *
 * Runs itself again with the library preloaded. Each call is timed through its wrapper and directly
 * in libc, in short batches in turn, so that whatever else the machine does meets both; the median
 * of the differences of neighbouring batches is the cost. A child that never parks gives the cost
 * off the loop, one that has parked once the cost on it; two children that call libc directly, in
 * turn, one of them with a watchdog, show what the watchdog costs everybody else. */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
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

#define PAIRS 4001
#define BATCH 400

/* The same calls twice: as the program finds them, and libc's own. */
struct calls {
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*recv)(int, void *, size_t, int);
    int (*sem_wait)(sem_t *);
    int (*mutex_lock)(pthread_mutex_t *);
    int (*epoll_wait)(int, struct epoll_event *, int, int);
};

static struct calls wrapped, plain;
/* The other halves of the pairs below: always libc's own. */
static ssize_t (*plain_write)(int, const void *, size_t);
static ssize_t (*plain_send)(int, const void *, size_t, int);
static int event_fd, pair[2];
static int loop_fd = -1; /* the epoll set of this child's loop */
static bool parks;       /* between batches: iterations are short */
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void find(struct calls *calls, void *from)
{
    calls->read = (ssize_t(*)(int, void *, size_t))dlsym(from, "read");
    calls->recv = (ssize_t(*)(int, void *, size_t, int))dlsym(from, "recv");
    calls->sem_wait = (int (*)(sem_t *))dlsym(from, "sem_wait");
    calls->epoll_wait = (int (*)(int, struct epoll_event *, int, int))dlsym(from, "epoll_wait");
    calls->mutex_lock = (int (*)(pthread_mutex_t *))dlsym(from, "pthread_mutex_lock");
}

static void read_nothing(const struct calls *calls)
{
    char c;
    (void)!calls->read(-1, &c, 1);
}

static void read_event(const struct calls *calls)
{
    uint64_t one = 1;
    (void)!plain_write(event_fd, &one, sizeof(one));
    (void)!calls->read(event_fd, &one, sizeof(one));
}

static void recv_byte(const struct calls *calls)
{
    char c = 0;
    plain_send(pair[0], &c, 1, 0);
    calls->recv(pair[1], &c, 1, 0);
}

static void wait_semaphore(const struct calls *calls)
{
    sem_post(&sem);
    calls->sem_wait(&sem);
}

static void lock_and_unlock(const struct calls *calls)
{
    calls->mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void park(const struct calls *calls)
{
    struct epoll_event event;
    calls->epoll_wait(loop_fd, &event, 1, 0);
}

static const struct {
    const char *name;
    void (*run)(const struct calls *calls);
} cases[] = {{"read(-1)", read_nothing},
             {"eventfd write and read", read_event},
             {"socket send and recv", recv_byte},
             {"sem_post and sem_wait", wait_semaphore},
             {"mutex lock and unlock", lock_and_unlock},
             {"epoll_wait: a park", park}};
#define CASES   (sizeof(cases) / sizeof(cases[0]))
#define NO_PARK (CASES - 1) /* the calls that are no park */

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double batch_ns(size_t which, const struct calls *calls)
{
    double start = now_ns();
    for (int i = 0; i < BATCH; i++)
        cases[which].run(calls);
    return (now_ns() - start) / BATCH;
}

/* The ns that the wrapper adds. */
static struct figure measure(size_t which)
{
    static double added[PAIRS];
    for (int i = -20; i < PAIRS; i++) {
        bool wrapped_first = i % 2 == 0;
        if (parks)
            park(&wrapped);
        double first = batch_ns(which, wrapped_first ? &wrapped : &plain);
        double second = batch_ns(which, wrapped_first ? &plain : &wrapped);
        if (i < 0)
            continue; /* warming up */
        added[i] = wrapped_first ? first - second : second - first;
    }
    return figure_median(added, PAIRS);
}

static struct figure counter_ns(void)
{
    static double costs[1001];
    for (size_t i = 0; i < 1001; i++) {
        uint64_t sum = 0;
        double start = now_ns();
        for (int j = 0; j < BATCH; j++)
            sum += __builtin_ia32_rdtsc();
        costs[i] = (now_ns() - start) / BATCH;
        __asm__ volatile("" : : "r"(sum));
    }
    return figure_median(costs, 1001);
}

static void become_loop(void)
{
    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    park(&wrapped); /* from here on this is a loop thread */
}

/* `beyond_ns`: what no wrapper can do without, which is not told. */
static void measure_all(enum figure_id id, size_t count, double beyond_ns)
{
    for (size_t i = 0; i < count; i++) {
        struct figure added = measure(i);
        bool locks = cases[i].run == lock_and_unlock;
        double less = locks ? 0 : beyond_ns; /* a mutex that is free is taken without a reading */
        figure_tell(locks && id == FIGURE_wrapper_on_loop ? FIGURE_wrapper_mutex : id,
                    cases[i].name,
                    (struct figure){added.value - less, added.low - less, added.high - less,
                                    added.repeats});
    }
}

/* Runs one batch of libc's own call for each byte it is sent, and answers with its time. */
static void serve_batches(int fd, bool watched)
{
    unsigned char which;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return; /* one of its own: two processes at one socket would disturb each other */
    if (watched)
        become_loop();
    while (plain.read(fd, &which, 1) == 1) {
        double ns = batch_ns(which, &plain);
        if (write(fd, &ns, sizeof(ns)) != sizeof(ns))
            return;
    }
}

static int start_server(bool watched)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || fork() != 0) {
        close(ends[1]);
        return ends[0];
    }
    close(ends[0]);
    serve_batches(ends[1], watched);
    _exit(0);
}

static double ask(int server, size_t which)
{
    unsigned char byte = (unsigned char)which;
    double ns = 0;
    if (write(server, &byte, 1) != 1 || read(server, &ns, sizeof(ns)) != sizeof(ns))
        exit(1);
    return ns;
}

static void measure_bystanders(void)
{
    static double ratio[PAIRS / 4];
    int without = start_server(false);
    int with = start_server(true);
    puts("libc's own calls in a process with a watchdog, against one without");
    for (size_t which = 0; which < NO_PARK; which++) {
        for (size_t i = 0; i < PAIRS / 4; i++)
            ratio[i] = ask(with, which) / ask(without, which);
        figure_tell(FIGURE_wrapper_bystander, cases[which].name, figure_median(ratio, PAIRS / 4));
    }
    close(with);
    close(without);
}

static void in_child(void (*run)(void))
{
    fflush(stdout);
    if (fork() == 0) {
        run();
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void off_loop(void)
{
    measure_all(FIGURE_wrapper_off_loop, NO_PARK, 0);
}

static void on_loop(void)
{
    become_loop();
    parks = true;
    struct figure reading = counter_ns();
    figure_tell(FIGURE_counter_reading, "", reading);
    measure_all(FIGURE_wrapper_on_loop, CASES, reading.value);
}

static void in_long_iteration(void)
{
    become_loop();
    measure_all(FIGURE_wrapper_old_iteration, NO_PARK, counter_ns().value);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (dlsym(RTLD_DEFAULT, "loophound_version") == NULL)
        return run_with_library(argv);
    find(&wrapped, RTLD_DEFAULT);
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    find(&plain, libc);
    plain_write = (ssize_t(*)(int, const void *, size_t))dlsym(libc, "write");
    plain_send = (ssize_t(*)(int, const void *, size_t, int))dlsym(libc, "send");
    event_fd = eventfd(0, EFD_CLOEXEC);
    sem_init(&sem, 0, 0);
    if (wrapped.read == plain.read || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 1;
    in_child(off_loop);
    in_child(on_loop);
    in_child(in_long_iteration);
    measure_bystanders();
    return 0;
}
