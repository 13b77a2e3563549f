/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that wait for each other. Runs on the watchdog: raw system calls, no libc state, no
 * malloc. */
#ifndef LH_PRELOAD_WATCHDOG_CYCLE_H
#define LH_PRELOAD_WATCHDOG_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

struct lh_waiting_thread {
    uint32_t tid;
    uintptr_t python_thread; /* its PyThreadState; 0: none, or not known */
};

/* The owner of the mutex, or of the read-write lock that is held for writing; 0: none. */
uint32_t lh_mutex_owner(uintptr_t mutex);
uint32_t lh_rwlock_owner(uintptr_t lock);

/* Is it a thread of this process? */
bool lh_thread_is_ours(uint32_t tid);

/* Does the thread wait for `waiting_tid`, or for one that does, and so on? Each waits for a mutex,
 * or in Python for what has an owner, or for a Lock within whose `with` statement another one is.
 */
bool lh_waits_for(struct lh_waiting_thread thread, uint32_t waiting_tid);

#endif
