/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads, each with a loop of its own, that take short turns; three of them compute for 200
 * ms each at the same time, once all have parked: "stall-0", "stall-1", "stall-2". */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LOOPS  64
#define STALLS 3
#define MS     1000000LL

static pthread_barrier_t all_parked;
static pthread_barrier_t stalling;
static int over[2]; /* a pipe: closed at the end */

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

static void compute_200_ms(void)
{
    int64_t end = cpu_ns() + 200 * MS;
    while (cpu_ns() < end)
        ;
}

static void *stall(void *argument)
{
    char name[16];
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    (void)snprintf(name, sizeof(name), "stall-%zu", (size_t)argument);
    prctl(PR_SET_NAME, name);
    epoll_wait(set, &event, 1, 0);
    epoll_wait(set, &event, 1, 20);
    pthread_barrier_wait(&all_parked);
    pthread_barrier_wait(&stalling);
    epoll_wait(set, &event, 1, 20);
    compute_200_ms();
    epoll_wait(set, &event, 1, 10);
    close(set);
    return NULL;
}

/* Parks, turn for turn, until the pipe is closed. */
static void *turn(void *unused)
{
    struct epoll_event event = {.events = 0};
    int set = epoll_create1(EPOLL_CLOEXEC);
    (void)unused;
    epoll_ctl(set, EPOLL_CTL_ADD, over[0], &event);
    epoll_wait(set, &event, 1, 0);
    pthread_barrier_wait(&all_parked);
    while (epoll_wait(set, &event, 1, 20) == 0)
        ;
    close(set);
    return NULL;
}

int main(void)
{
    pthread_t threads[LOOPS];
    if (pipe(over) != 0)
        return 1;
    pthread_barrier_init(&all_parked, NULL, LOOPS);
    pthread_barrier_init(&stalling, NULL, STALLS);
    for (size_t i = 0; i < LOOPS; i++)
        pthread_create(&threads[i], NULL, i < STALLS ? stall : turn, (void *)i);
    for (size_t i = 0; i < STALLS; i++)
        pthread_join(threads[i], NULL);
    close(over[1]);
    for (size_t i = STALLS; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
