/* SPDX-License-Identifier: Apache-2.0 */
/* The asyncio task that a thread runs. See interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_TASK_H
#define LH_PRELOAD_PYTHON_TASK_H

#include "preload/python/walker.h"

/* Looks at a frame that the walk has just taken, the last of the record: up to 3.13 the task is
 * found by the frame of asyncio's own that runs its step, or by that of its coroutine. `stepped`:
 * of frame 0 where it is no coroutine's. */
void lh_python_task_note(struct lh_python_walk *walk, uintptr_t frame,
                         const struct lh_python_stepped *stepped);

/* At the end of the walk over the PyThreadStates of a thread, innermost first: stores the name and
 * the coroutine of the running task into record->task. What is not known for certain, or no
 * asyncio.Task written in C, is left out. */
void lh_python_task_store(struct lh_python_walk *walk, const uintptr_t *states, uint32_t count);

/* The same of this task, which is an asyncio.Task written in C. */
void lh_python_task_describe(struct lh_python_walk *walk, uintptr_t task);

/* Where such a task has its coroutine, in bytes behind the header. */
uintptr_t lh_python_task_place(const struct lh_python_walk *walk, uintptr_t task);

/* The qualified name, a str, of the coroutine that this object is or, a task, runs; 0: it is
 * neither. */
uintptr_t lh_python_coroutine_name(const struct lh_python_walk *walk, uintptr_t object);

#endif
