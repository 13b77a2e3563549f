/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a loop thread does a part of its loop? What it does below none of the functions that run
 * the loop is not: before, between and after runs of one whose epoll set stays open, as the
 * interpreter ends, in exit handlers. Nor is what it does when it has given its loop to another
 * thread. In doubt it is.
 *
 * Asked before something is told, never on the fast path. Any thread; raw system calls, no libc
 * state, no malloc, no locks. */
#ifndef LH_PRELOAD_STATE_IN_LOOP_H
#define LH_PRELOAD_STATE_IN_LOOP_H

#include "preload/state/state.h"
#include "preload/sys/memory.h"

/* Runs on the loop thread, as it parks for the first time or in another place than before. */
void lh_in_loop_parks(struct lh_slot *slot);

/* Has another thread taken its place, as with tokio's block_in_place? One that this very thread has
 * called in this iteration, in one of two ways:
 *   - it has started it, and that parks on its epoll set; or, where yet another one parks there,
 *     runs the function that runs the loop (chain.h);
 *   - that had given its own place away before, stood by on a futex that this thread has woken, and
 *     has come back to the set.
 * Where this thread has stood by itself, it is also known by the futex that it did that on, which
 * goes with the place. Others that come to the set say nothing of a thread, whose handler may be
 * blocked. Where one is not known (a thread that has never been at a set, and was woken) the place
 * counts as kept: what the thread waits for is told. */
bool lh_in_loop_gave_away(const struct lh_slot *slot);

/* What has to be known for that. On the slot's own thread, as it wakes a futex, stands by on one
 * (standby.h), or parks on an epoll set while it has no place at one. */
void lh_in_loop_wakes(struct lh_slot *slot, uintptr_t futex);
void lh_in_loop_stands_by(struct lh_slot *slot, uintptr_t futex);
void lh_in_loop_comes_back(struct lh_slot *slot);

/* Looks where the thread is now. LH_NOISE_NONE: inside its loop. Else outside, for this reason;
 * then its iteration has ended when it was last seen inside. Python's frames are looked at by
 * `view`. */
enum lh_noise lh_in_loop_why_not(struct lh_slot *slot, const struct lh_view *view);

/* The same where nothing else is read of it: mostly some words of each frame alone. */
static inline bool lh_in_loop_look(struct lh_slot *slot)
{
    const struct lh_view view = {.read = lh_memory_read_self};
    return lh_in_loop_why_not(slot, &view) == LH_NOISE_NONE;
}

/* It is outside of the iteration that runs now, unless that goes on to a park: home.h. */
bool lh_in_loop_is_doubtful(const struct lh_slot *slot);

/* Runs on the loop thread: it has called exit(3). What is done from now on is not in the loop. */
void lh_in_loop_exits(struct lh_slot *slot);

/* The end of the iteration that runs now, by the counter: now, unless it has been seen outside. */
uint64_t lh_in_loop_end(const struct lh_slot *slot);

#endif
