/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations: how long they take, and where their time goes.
 *
 * Runs on the loop threads. The common case is inline: one reading of the
 * counter at each end of an iteration. */
#ifndef LH_PRELOAD_ITERATION_STALL_H
#define LH_PRELOAD_ITERATION_STALL_H

#include "preload/state/state.h"
#include "preload/sys/clock.h"

/* An iteration is looked at that lasted at least this many steps of the counter: a little below the
 * threshold. Never, while it is UINT64_MAX: LOOPHOUND_STALL=off, or not known yet. */
extern LH_HIDDEN _Atomic uint64_t lh_stall_tsc;

/* The same, also when stalls are not watched: no call that took less can be a block by the
 * threshold. 0: not known yet. */
extern LH_HIDDEN _Atomic uint64_t lh_threshold_tsc;

/* LH_SAMPLE_NS of time; UINT64_MAX: not known yet. */
extern LH_HIDDEN _Atomic uint64_t lh_sample_tsc;

/* Strict mode depends on no time, so that a test never flakes. */
static inline bool lh_stall_is_on(void)
{
    return lh_options.stall != 0 && lh_options.strict == 0;
}

/* The start first: whoever acquires the number sees the start of that iteration, or of a later one,
 * and never takes an iteration for older than it is. */
static inline void lh_stall_begin(struct lh_slot *slot)
{
    uint64_t iteration_id = atomic_load_explicit(&slot->iteration_id, memory_order_relaxed) + 1;
    slot->iteration_start = lh_counter();
    atomic_store_explicit(&slot->iteration_id, iteration_id, memory_order_release);
}

/* At the begin of a park: could the iteration that ends here be a stall, or is it marked? */
static inline bool lh_stall_may_be(const struct lh_slot *slot)
{
    return lh_counter() - slot->iteration_start >=
               atomic_load_explicit(&lh_stall_tsc, memory_order_relaxed) ||
           atomic_load_explicit(&slot->marked, memory_order_relaxed) == LH_MARKED_ALL;
}

/* Decides about an iteration that ends, and reports it. errno stays. */
void lh_stall_end(struct lh_slot *slot);

/* The same for a loop that parks past libc. Runs on the watchdog, which has no errno. */
void lh_stall_end_outside(struct lh_slot *slot);

/* The loop or the process ends inside an iteration: one that has been told as going on ends here.
 */
void lh_stall_abandon(struct lh_slot *slot);

/* A call of this iteration has ended: one of those that add up, or a wait for the GIL. Takes a
 * sample when enough time has been spent so. */
void lh_stall_add_call(struct lh_slot *slot, uint64_t elapsed_tsc);

/* The same for one that was told as a block, or that nobody wants to be told of. */
void lh_stall_add_reported(struct lh_slot *slot, uint64_t elapsed_ns);

/* The outermost allow scope ends, or the iteration in it: its time is not to be told. */
void lh_stall_allowed(struct lh_slot *slot);

#endif
