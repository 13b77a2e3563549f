/* SPDX-License-Identifier: Apache-2.0 */
/* Where a thread is, by the Python functions that it is in: below one that runs an event loop?
 *
 * CPython runs all Python functions in one frame of C, since 3.11, so that the C stack does not
 * tell whether a loop's function has returned. Its own frames do. See interpreter.h for who may
 * call what. */
#ifndef LH_PRELOAD_PYTHON_PLACE_H
#define LH_PRELOAD_PYTHON_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/python/marks.h"
#include "preload/python/walker.h"

struct lh_python_place {
    bool is_unborn; /* of a loop that has not waited yet: it runs below a function that is known
                       to run loops, or not at all */
    enum lh_python_runs runs; /* of the functions that are known, the innermost … */
    uintptr_t runner;         /* … its frame, 0: there is none … */
    uintptr_t runner_code;    /* … and its code */
    bool is_whole;            /* all frames were read */
    bool is_threads;     /* the outermost of them is one that threads begin with, no coroutine's */
    uintptr_t innermost; /* a frame's address, 0: there are none … */
    uintptr_t innermost_code;
    uintptr_t outermost; /* its address, 0: there are none … */
    uintptr_t code;      /* … and its code */
};

/* lh_python_place() with the layout as a parameter. */
void lh_python_place_find(const struct lh_python_layout *layout, const struct lh_view *view,
                          uintptr_t thread_state, struct lh_python_place *place);

/* Is the thread below the function that ran its loop? */
enum lh_python_whereabouts {
    LH_PYTHON_INSIDE,
    LH_PYTHON_LEFT,
    LH_PYTHON_UNSEEN, /* not all of its frames could be read: it runs; or a greenlet has none */
};

/* lh_python_whereabouts() with the layout as a parameter. */
enum lh_python_whereabouts lh_python_place_left(const struct lh_python_layout *layout,
                                                const struct lh_view *view, uintptr_t thread_state,
                                                const struct lh_python_place *parked);

#endif
