/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that computes while the dynamic loader's locks are taken.
 *
 *   loader own            by itself: it computes in a callback of dl_iterate_phdr(3)
 *   loader other MODULE   by another thread, whose dlopen(3) waits in the module's constructor
 *   loader poll MODULE    the same, and the loop is one that parks in poll(2)
 *
 * Prints what it truly spent in the iteration: milliseconds of CPU time. */
#include <dlfcn.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

static int says[2];
static int waits[2];

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

static int compute(struct dl_phdr_info *info, size_t size, void *unused)
{
    int64_t end = cpu_ns() + 300 * MS;
    (void)info, (void)size, (void)unused;
    while (cpu_ns() < end)
        ;
    return 1;
}

static void *open_module(void *path)
{
    void *module = dlopen(path, RTLD_NOW);
    if (module == NULL)
        abort();
    return module;
}

static void start_opening(pthread_t *thread, char *path)
{
    char fds[32];
    char byte;
    if (pipe(says) != 0 || pipe(waits) != 0)
        abort();
    (void)snprintf(fds, sizeof(fds), "%d %d", says[1], waits[0]);
    setenv("SLOW_MODULE", fds, 1);
    pthread_create(thread, NULL, open_module, path);
    if (read(says[0], &byte, 1) != 1)
        abort();
}

static void stop_opening(pthread_t thread)
{
    if (write(waits[1], "x", 1) != 1)
        abort();
    pthread_join(thread, NULL);
}

/* With its iteration in the middle: how long that computed. */
static int64_t compute_on_loop(bool locked)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 40);
    int64_t begin = cpu_ns();
    if (locked)
        dl_iterate_phdr(compute, NULL);
    else
        compute(NULL, 0, NULL);
    int64_t end = cpu_ns();
    epoll_wait(set, &event, 1, 10);
    close(set);
    return end - begin;
}

/* A wake-up at which it both waits and looks is what makes a loop of it. */
static int64_t compute_on_poll_loop(void)
{
    int64_t begin = 0;
    int64_t end = 0;
    struct pollfd wake_up = {.fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN};
    for (int i = 0; i < 12; i++) {
        poll(&wake_up, 1, i % 2 * 5);
        if (i != 10)
            continue;
        begin = cpu_ns();
        compute(NULL, 0, NULL);
        end = cpu_ns();
    }
    close(wake_up.fd);
    return end - begin;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    const char *way = argc > 1 ? argv[1] : "";
    bool polls = strcmp(way, "poll") == 0;
    bool own = strcmp(way, "own") == 0;
    if (argc != (own ? 2 : 3))
        return 2;
    if (!own)
        start_opening(&thread, argv[2]);
    int64_t computed_ns = polls ? compute_on_poll_loop() : compute_on_loop(own);
    printf("%.3f\n", (double)computed_ns / MS);
    if (!own)
        stop_opening(thread);
    return 0;
}
