/* SPDX-License-Identifier: Apache-2.0 */
/* A library whose constructor starts threads that all park at once, while it goes on to park too
 * and the constructors that follow its own run. Later, in host_main(), each thread parks again and
 * then sleeps, the main thread last.
 *
 *   host early   the main thread parks before all others
 *   host api     before all others it says that it has a loop
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"

#define THREADS 8

extern int host_main(void);

static pthread_t threads[THREADS];
static pthread_barrier_t all_there;
static sem_t go;
static int own_set;

static void sleep_on_loop(void)
{
    const struct timespec time = {0, 40 * 1000000L};
    nanosleep(&time, NULL);
}

static void park(int set)
{
    struct epoll_event event;
    epoll_wait(set, &event, 1, 0);
}

static void *loop(void *unused)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    pthread_barrier_wait(&all_there);
    park(set);
    sem_wait(&go);
    park(set);
    sleep_on_loop();
    close(set);
    return unused;
}

__attribute__((constructor)) static void construct(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";
    own_set = epoll_create1(EPOLL_CLOEXEC);
    if (strcmp(first, "early") == 0)
        park(own_set);
    if (strcmp(first, "api") == 0 &&
        (loophound_flush() != -ENOTCONN || loophound_loop_enter() != 0))
        _exit(3);
    sem_init(&go, 0, 0);
    pthread_barrier_init(&all_there, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, loop, NULL);
    pthread_barrier_wait(&all_there);
    park(own_set);
}

int host_main(void)
{
    for (int i = 0; i < THREADS; i++)
        sem_post(&go);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    park(own_set);
    sleep_on_loop();
    return 0;
}
