/* SPDX-License-Identifier: Apache-2.0 */
/* Which function of a thread's is the one that runs its loop?
 *
 * The return addresses on the stack, as they were when the thread first parked on its set, say how
 * it had come there. In a handler those of the functions that the loop was called by are still in
 * their places; the next one further in is another, as the loop has called something else than what
 * parked. So the innermost that stays is where the function that runs the loop returns to, and the
 * one that has gone lay in that function. A thread that has either on its stack runs it, too.
 * Either, for where it is inlined into a caller there may be several copies of that.
 *
 * Not by an unwinder, which is the collector's. What looks like a return address may be left over
 * from a function that has returned: only for questions whose answer may be unknown. */
#ifndef LH_PRELOAD_STATE_CHAIN_H
#define LH_PRELOAD_STATE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/state/state.h"

/* On the slot's own thread, as it parks in a wrapper with this frame, called from `site`. A few
 * hundred system calls at most; errno stays. */
void lh_chain_note(struct lh_slot *slot, uintptr_t frame, uintptr_t site);

/* The function that runs the loop, if that can be seen. While the thread is in a handler. Any
 * thread. */
struct lh_loop_function lh_chain_loop(const struct lh_slot *slot);

/* Does this thread wait, below that function? `base`: further out on its stack than all that may be
 * it. False also where either is not known, or it cannot be seen. Any thread. */
bool lh_chain_is_below(uint32_t tid, uintptr_t base, const struct lh_loop_function *loop);

/* Is this a word that says so? */
static inline bool lh_chain_is_of(const struct lh_loop_function *loop, uintptr_t word)
{
    return word != 0 && (word == loop->from || word == loop->into);
}

#endif
