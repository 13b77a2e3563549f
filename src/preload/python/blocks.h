/* SPDX-License-Identifier: Apache-2.0 */
/* Where a frame's values are, and how many of them are in use for certain. See interpreter.h for
 * who may call what. */
#ifndef LH_PRELOAD_PYTHON_BLOCKS_H
#define LH_PRELOAD_PYTHON_BLOCKS_H

#include "preload/python/walk.h"

struct lh_python_variables {
    uintptr_t locals; /* address of the first local variable */
    uint32_t local_count;
    uintptr_t values; /* address of the first value that it works with */
    uint32_t live;    /* of these, what an exception would leave: of open `with` statements too */
};

/* False: it cannot be told. */
bool lh_python_variables_find(const struct lh_python_walk *walk, const struct lh_python_step *step,
                              struct lh_python_variables *values);

#endif
