/* SPDX-License-Identifier: Apache-2.0 */
/* What a Python function has in hand: an object in a local variable, or a lock that it is in a
 * `with` statement of. See interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_HELD_H
#define LH_PRELOAD_PYTHON_HELD_H

#include "preload/python/blocks.h"
#include "preload/python/walk.h"

/* The more certain, the greater. */
enum lh_python_hold {
    LH_PYTHON_HOLDS_NOTHING,
    LH_PYTHON_HOLDS_NAME, /* a local variable is the object */
    LH_PYTHON_HOLDS_WITH, /* it runs the body of a `with` statement of the object */
};

/* What the function of this frame has of the object. */
enum lh_python_hold lh_python_frame_hold(const struct lh_python_walk *walk,
                                         const struct lh_python_step *step, uintptr_t object);

/* Is an open `with` statement of the object among these values of a frame? */
bool lh_python_values_have_with(const struct lh_python_walk *walk,
                                const struct lh_python_variables *values, uintptr_t object);

/* The most that any function has which the thread with this state is in. */
enum lh_python_hold lh_python_hold_find(const struct lh_python_layout *layout, lh_memory_read *read,
                                        uintptr_t thread_state, uintptr_t object);

/* The object in the frame, a local or a value it works with, for which `is_it` says so; 0: none.
 * Old values may stand among them. */
typedef bool lh_python_is_it(const struct lh_python_walk *walk, uintptr_t object,
                             const void *context);
uintptr_t lh_python_frame_search(const struct lh_python_walk *walk,
                                 const struct lh_python_step *step, lh_python_is_it *is_it,
                                 const void *context);

#endif
