/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over one thread's JavaScript frames, for a given layout. See engine.h for who may call
 * what. */
#ifndef LH_PRELOAD_V8_WALK_H
#define LH_PRELOAD_V8_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/walker.h"

/* A thread that may have called JavaScript. */
struct lh_v8_thread {
    uintptr_t isolate; /* its own; 0: none */
    uintptr_t sp;      /* its stack pointer; 0: not known */
    uintptr_t fp;      /* its frame pointer, and … */
    uintptr_t pc;      /* … where it is: of one that was interrupted; 0: not known */
    uintptr_t link;    /* what it returns to from there; 0: that is at the stack pointer */
};

/* Stores the frames into walk->record, innermost first: walk->view, layout, scratch, record and
 * most are set by the caller. */
void lh_v8_walk(struct lh_v8_walk *walk, const struct lh_v8_thread *thread);

#endif
