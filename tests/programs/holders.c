/* SPDX-License-Identifier: Apache-2.0 */
/* A loop thread that waits for what another thread has.
 *
 *   holders mutex|running|rwlock|deadlock|condition
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t ready;

static void sleep_600_ms(void)
{
    const struct timespec time = {0, 600 * 1000000L};
    nanosleep(&time, NULL);
}

static void hold_mutex(void)
{
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&ready);
    sleep_600_ms();
    pthread_mutex_unlock(&mutex);
}

static void compute_300_ms(void)
{
    struct timespec now;
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while (now.tv_sec == 0 && now.tv_nsec < 300 * 1000000L);
}

static void hold_mutex_and_compute(void)
{
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&ready);
    compute_300_ms();
    pthread_mutex_unlock(&mutex);
}

static void hold_rwlock(void)
{
    pthread_rwlock_wrlock(&rwlock);
    pthread_barrier_wait(&ready);
    sleep_600_ms();
    pthread_rwlock_unlock(&rwlock);
}

static void hold_for_ever(void)
{
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&ready);
    pthread_mutex_lock(&other_mutex);
    pthread_mutex_unlock(&mutex);
}

static void signal_later(void)
{
    pthread_barrier_wait(&ready);
    sleep_600_ms();
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
}

static void wait_for_mutex(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_for_rwlock(void)
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
}

static void wait_for_ever(void)
{
    pthread_mutex_lock(&mutex); /* while we have the other one */
}

static void wait_for_condition(void)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
}

static const struct {
    const char *name;
    void (*hold)(void);
    void (*wait)(void);
} ways[] = {{"mutex", hold_mutex, wait_for_mutex},
            {"running", hold_mutex_and_compute, wait_for_mutex},
            {"rwlock", hold_rwlock, wait_for_rwlock},
            {"deadlock", hold_for_ever, wait_for_ever},
            {"condition", signal_later, wait_for_condition}};

static void *holder_main(void *argument)
{
    void (*const *hold)(void) = argument;
    prctl(PR_SET_NAME, "keeper");
    (*hold)();
    return NULL;
}

int main(int argc, char **argv)
{
    struct epoll_event event;
    pthread_t holder;
    size_t i = 0;
    while (i < sizeof(ways) / sizeof(ways[0]) && strcmp(argc > 1 ? argv[1] : "", ways[i].name) != 0)
        i++;
    if (i == sizeof(ways) / sizeof(ways[0]))
        return 2;
    pthread_mutex_lock(&other_mutex);
    pthread_barrier_init(&ready, NULL, 2);
    pthread_create(&holder, NULL, holder_main, (void *)&ways[i].hold);
    pthread_barrier_wait(&ready);
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(epfd, &event, 1, 0);
    ways[i].wait();
    epoll_wait(epfd, &event, 1, 0);
    close(epfd); /* no loop any more: what follows may wait */
    pthread_join(holder, NULL);
    puts("done");
    return 0;
}
