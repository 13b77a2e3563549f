/* SPDX-License-Identifier: Apache-2.0 */
/* Python's functions that run asyncio's event loop. See interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_RUNNING_LOOP_H
#define LH_PRELOAD_PYTHON_RUNNING_LOOP_H

#include "preload/python/walk.h"

/* The loop that this function runs; 0: it runs none. One that is written in C, as uvloop's, has no
 * function of its own, but that which asyncio.run() calls: a Runner has it, or (up to 3.10) the
 * third local variable is it. */
uintptr_t lh_python_running_loop(const struct lh_python_walk *walk,
                                 const struct lh_python_step *step);

#endif
