/* SPDX-License-Identifier: Apache-2.0 */
/* What test programs share: the wait until whoever reads their reports has started.
 *
 * While the watchdog starts a collector it has no tick, and on a busy machine that takes long. */
#ifndef SETTLED_H
#define SETTLED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "loophound.h"

static void *flush_for_settling(void *done)
{
    (void)loophound_flush();
    atomic_store((_Atomic bool *)done, true);
    return NULL;
}

/* By a loop thread that has parked on this set: it parks there until what there is to tell of its
 * loop has been told, which another thread waits for. */
static inline void settle(int set)
{
    _Atomic bool done = false;
    struct epoll_event event;
    pthread_t flusher;
    if (pthread_create(&flusher, NULL, flush_for_settling, &done) != 0)
        return;
    while (!atomic_load(&done))
        epoll_wait(set, &event, 1, 1);
    pthread_join(flusher, NULL);
}

#endif
