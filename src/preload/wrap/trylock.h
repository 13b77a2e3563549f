/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a lock without waiting, for the calls whose try form takes other arguments.
 *
 * Runs on the program's threads. A try must not succeed where the call itself would refuse its
 * arguments: glibc looks at the clock of a mutex, and at the whole deadline of a read-write lock,
 * before it looks at the lock. What is refused here is left for the call to answer. */
#ifndef LH_PRELOAD_WRAP_TRYLOCK_H
#define LH_PRELOAD_WRAP_TRYLOCK_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "common/units.h"
#include "preload/sys/threads.h"

static inline bool lh_clock_can_time_locks(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static inline bool lh_deadline_is_valid(clockid_t clock, const struct timespec *deadline)
{
    return lh_clock_can_time_locks(clock) && deadline->tv_nsec >= 0 &&
           deadline->tv_nsec < LH_NS_PER_S;
}

/* 0, or an error number, as pthread_mutex_trylock(3). */
static inline int lh_mutex_try(pthread_mutex_t *mutex, clockid_t clock)
{
    return lh_clock_can_time_locks(clock) ? lh_pthread_mutex_trylock(mutex) : EINVAL;
}

/* The same, as pthread_rwlock_tryrdlock(3). */
static inline int lh_rdlock_try(pthread_rwlock_t *lock, clockid_t clock,
                                const struct timespec *deadline)
{
    return lh_deadline_is_valid(clock, deadline) ? lh_pthread_rwlock_tryrdlock(lock) : EINVAL;
}

/* The same, as pthread_rwlock_trywrlock(3). */
static inline int lh_wrlock_try(pthread_rwlock_t *lock, clockid_t clock,
                                const struct timespec *deadline)
{
    return lh_deadline_is_valid(clock, deadline) ? lh_pthread_rwlock_trywrlock(lock) : EINVAL;
}

#endif
