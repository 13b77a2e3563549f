/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that loop threads have started lately: one of them may take its starter's place in
 * the loop (in_loop.h). The latest LH_BIRTHS are known; an older one is forgotten, and then takes
 * no place.
 *
 * Any thread; raw system calls, no locks, errno stays. */
#ifndef LH_PRELOAD_STATE_BIRTHS_H
#define LH_PRELOAD_STATE_BIRTHS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/state/state.h"

/* Who starts a thread, and in which iteration; starter 0: no loop thread does. */
struct lh_origin_of_thread {
    uint32_t starter; /* its kernel's number */
    uint64_t iteration_id;
    struct lh_loop_function loop; /* its own, if known */
};

/* What a loop thread hands on to one that it starts. On the starter, which may have no slot. */
struct lh_origin_of_thread lh_birth_origin(const struct lh_slot *starter);

/* On the thread that has been started, at its begin. `base`: an address that lies further out on
 * its stack than what it does from then on. A stack that another thread has had, and where that
 * left a trace of the loop, is not to be looked through: then it is known with a base of 0. */
void lh_birth_note(const struct lh_origin_of_thread *origin, uintptr_t base);

/* Finds the threads that `starter` has started in the iteration that it is in, one after the other:
 * *next is 0 at first. False: no more. */
bool lh_birth_next(const struct lh_slot *starter, uint32_t *next, uint32_t *tid, uintptr_t *base);

#endif
