/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that waits, and what is found of what it waits for. Plain data. */
#ifndef LH_PRELOAD_PYTHON_WAITER_H
#define LH_PRELOAD_PYTHON_WAITER_H

#include "preload/python/walker.h"

struct lh_python_waiter {
    uintptr_t state; /* its PyThreadState */
    uint32_t tid;
    uintptr_t operand; /* the semaphore, condition or futex that it waits on */
};

struct lh_python_awaited {
    enum lh_awaited_kind kind; /* LH_AWAITED_NONE: not known, and so is all else */
    uintptr_t object;
    uint32_t owner_tid;    /* who has the lock, is to end, or runs the future; 0: not known … */
    uintptr_t owner_state; /* … and its PyThreadState; 0: none */
    bool is_own;           /* that is the waiter itself */
    uintptr_t coroutine;   /* of a future: the name of what the owner's loop is to run; 0: none */
};

#endif
