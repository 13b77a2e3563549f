/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of the interpreter, and which of them has its lock (the GIL).
 *
 * What is read is stable since Python 3.8: a PyThreadState begins with prev, next and interp, and
 * holds its pthread_t; _gil_runtime_state has last_holder, locked and switch_number before its
 * condition (Include/cpython/pystate.h, Include/internal/pycore_gil.h). Where the pthread_t is, and
 * where glibc keeps the thread's number behind that, is learnt from a thread that is known. */
#ifndef LH_PRELOAD_PYTHON_THREADS_H
#define LH_PRELOAD_PYTHON_THREADS_H

#include <stdint.h>

/* Once per loop thread with an interpreter, on that thread. */
void lh_python_threads_learn(uintptr_t thread_state);

/* The PyThreadState of the thread with this number, found from another of the same interpreter; 0:
 * none. Any thread, also the watchdog. */
uintptr_t lh_python_thread_find(uintptr_t from, uint32_t tid);

/* The number of the thread with this pthread_t, and its PyThreadState, found likewise; 0: Python
 * has no such thread. */
uint32_t lh_python_thread_of(uintptr_t from, uintptr_t thread, uintptr_t *state);

#define LH_PYTHON_THREADS_MAX 128u /* looked at, where each is asked what it does or has */

struct lh_python_thread {
    uintptr_t state;
    uint32_t tid;
};

/* The threads of the same interpreter, at most `most`. Returns their number. */
uint32_t lh_python_threads(uintptr_t from, struct lh_python_thread *threads, uint32_t most);

/* The number of the thread that has the GIL, whose condition is at `condition`, and its
 * PyThreadState; 0: none but the one with `thread_state`, or it cannot be told. Any thread. */
uint32_t lh_python_gil_holder(uintptr_t condition, uintptr_t thread_state, uintptr_t *holder);

#endif
