/* SPDX-License-Identifier: Apache-2.0 */
/* A scheduler that preempts what it runs, as far as anybody can see from outside: it has the
 * function by which Erlang's is known, waits for events in one function and works in others.
 *
 *   preempting
 *
 * It works for BUSY_MS, with calls, once whoever reads its reports knows where it waits; TURNS
 * times, each further in than the one before. */
/* link: -rdynamic */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loophound.h"
#include "small_loop.h"

#define BUSY_MS 300
#define TURNS   3
#define SHORT   20

/* Not one of libc's, so that it is in the program's own table. */
void enif_schedule_nif(void);
void enif_schedule_nif(void)
{
}

static volatile int not_the_last_call;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void look_for_events(int set)
{
    struct epoll_event event;
    check(epoll_wait(set, &event, 1, 1) == 0);
    not_the_last_call = 1;
}

static void work(int depth)
{
    if (depth > 0)
        work(depth - 1);
    for (int64_t end = now_ms() + BUSY_MS; depth == 0 && now_ms() < end;)
        check(access("/", F_OK) == 0);
    not_the_last_call = 2;
}

static void *flush(void *done)
{
    check(loophound_flush() == 0);
    atomic_store((_Atomic bool *)done, true);
    return NULL;
}

/* What was asked about its park is answered by then, for reports are read in their order. */
static void wait_until_known(int set)
{
    _Atomic bool done = false;
    pthread_t flusher;
    for (int i = 0; i < SHORT; i++)
        look_for_events(set);
    check(pthread_create(&flusher, NULL, flush, &done) == 0);
    while (!atomic_load(&done))
        look_for_events(set);
    pthread_join(flusher, NULL);
}

int main(void)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    check(set >= 0);
    wait_until_known(set);
    for (int turn = 0; turn < TURNS; turn++) {
        work(turn);
        look_for_events(set);
    }
    close(set);
    return 0;
}
