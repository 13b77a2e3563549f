/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread waits for in Python's terms, and who has it, does it, or ends. See interpreter.h
 * for who may call what. */
#ifndef LH_PRELOAD_PYTHON_AWAITED_H
#define LH_PRELOAD_PYTHON_AWAITED_H

#include "preload/python/waiter.h"
#include "preload/python/walk.h"

/* Does the function of this frame, the innermost one of its thread, wait for a SimpleQueue, whose
 * semaphore this is? Such a wait has no function of Python's. */
bool lh_python_frame_waits_for_queue(const struct lh_python_walk *walk,
                                     const struct lh_python_step *step, uintptr_t semaphore);

/* The thread stands still while it waits: the caller asks before and after whether it does. */
void lh_python_awaited_find(const struct lh_python_layout *layout, lh_memory_read *read,
                            const struct lh_python_waiter *waiter,
                            struct lh_python_awaited *awaited);

#endif
