/* SPDX-License-Identifier: Apache-2.0 */
/* The asyncio task that steps a coroutine, for event loops that are not Python's own. See
 * interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_TASK_ON_STACK_H
#define LH_PRELOAD_PYTHON_TASK_ON_STACK_H

#include "preload/python/walker.h"

/* The task, written in C, whose coroutine has this frame; 0: it was not found. To be asked once
 * the walk knows where the frame's eval loop is. */
uintptr_t lh_python_task_on_stack(const struct lh_python_walk *walk,
                                  const struct lh_python_stepped *stepped);

#endif
