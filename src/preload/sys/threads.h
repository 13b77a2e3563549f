/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread library has beside the wrapped calls, and we use: looked up at its first call, not
 * linked. glibc 2.34 moved it from libpthread into libc, under a new version; a library that is
 * linked with either refuses to start with the other.
 *
 * Runs on the program's threads. lh_<name> is <name>(3), and where there is none returns what the
 * last column says: then nothing is taken, and the caller does what it does without. */
#ifndef LH_PRELOAD_SYS_THREADS_H
#define LH_PRELOAD_SYS_THREADS_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <threads.h>

#include "preload/sys/compiler.h"

/* X(name, where there is none, parameters, arguments) */
#define LH_THREAD_CALLS(X)                                                                         \
    X(pthread_mutex_trylock, EBUSY, (pthread_mutex_t * lock), (lock))                              \
    X(pthread_rwlock_tryrdlock, EBUSY, (pthread_rwlock_t * lock), (lock))                          \
    X(pthread_rwlock_trywrlock, EBUSY, (pthread_rwlock_t * lock), (lock))                          \
    X(pthread_spin_trylock, EBUSY, (pthread_spinlock_t * lock), (lock))                            \
    X(mtx_trylock, thrd_busy, (mtx_t * lock), (lock))                                              \
    X(sem_getvalue, -1, (sem_t * sem, int *value), (sem, value))                                   \
    X(pthread_key_create, ENOSYS, (pthread_key_t * key, void (*end)(void *)), (key, end))          \
    X(pthread_setspecific, ENOSYS, (pthread_key_t key, const void *value), (key, value))

#define LH_THREAD_CALL(name, none, params, args) extern LH_HIDDEN int(*_Atomic lh_##name) params;
LH_THREAD_CALLS(LH_THREAD_CALL)
#undef LH_THREAD_CALL

/* The kernel's number of a thread of libc's; 0: it has ended, or it cannot be known. Any thread. */
int32_t lh_thread_tid(uintptr_t thread);

/* Finds out where libc keeps that number. Once, on one of the program's threads. */
void lh_thread_tid_init(void);

#endif
