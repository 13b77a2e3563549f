/* SPDX-License-Identifier: Apache-2.0 */
/* Which coroutine of a thread's asyncio loop, none that runs, has a lock. See interpreter.h for who
 * may call what. */
#ifndef LH_PRELOAD_PYTHON_SUSPENDED_H
#define LH_PRELOAD_PYTHON_SUSPENDED_H

#include "preload/python/walk.h"

struct lh_python_suspended {
    uintptr_t task;  /* an asyncio.Task written in C */
    uintptr_t frame; /* of its coroutine, or of what that awaits: it is in the `with` statement */
};

/* Looks for a task of the loop that the thread with this state runs which is suspended within a
 * `with` statement of the object. False: there is none, or it is not seen. */
bool lh_python_suspended_find(const struct lh_python_walk *walk, uintptr_t thread_state,
                              uintptr_t object, struct lh_python_suspended *found);

#endif
