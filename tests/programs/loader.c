/* A loop that computes while the dynamic loader's locks are taken.
 *
 *   loader own            by itself: it computes in a callback of dl_iterate_phdr(3)
 *   loader other MODULE   by another thread, whose dlopen(3) waits in the module's constructor
 *
 * Prints what it truly spent in the iteration: milliseconds of CPU time. */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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

int main(int argc, char **argv)
{
    struct epoll_event event;
    pthread_t thread;
    bool other = argc == 3 && strcmp(argv[1], "other") == 0;
    if (!other && (argc != 2 || strcmp(argv[1], "own") != 0))
        return 2;
    if (other)
        start_opening(&thread, argv[2]);
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 40);
    int64_t begin = cpu_ns();
    if (other)
        compute(NULL, 0, NULL);
    else
        dl_iterate_phdr(compute, NULL);
    printf("%.3f\n", (double)(cpu_ns() - begin) / MS);
    epoll_wait(set, &event, 1, 10);
    if (other)
        stop_opening(thread);
    close(set);
    return 0;
}
