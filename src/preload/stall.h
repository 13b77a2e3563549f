/* Iterations: how long they take, and where their time goes.
 *
 * Runs on the loop threads, but for lh_stall_look(). The common case is inline: one reading of the
 * counter at each end of an iteration. */
#ifndef LH_PRELOAD_STALL_H
#define LH_PRELOAD_STALL_H

#include "preload/clock.h"
#include "preload/state.h"

/* An iteration is looked at that lasted at least this many steps of the counter: a little below the
 * threshold. Never, while it is UINT64_MAX: LOOPHOUND_STALL=off, or not known yet. */
extern LH_HIDDEN _Atomic uint64_t lh_stall_counts;

/* The same, also when stalls are not watched: no call that took less can be a block by the
 * threshold. 0: not known yet. */
extern LH_HIDDEN _Atomic uint64_t lh_threshold_counts;

/* LH_SAMPLE_NS of time; UINT64_MAX: not known yet. */
extern LH_HIDDEN _Atomic uint64_t lh_sample_counts;

/* Works these out. Runs on the watchdog at its start, when time has passed to measure the counter
 * by.
 */
void lh_stall_init(void);

/* Strict mode depends on no time, so that a test never flakes. */
static inline bool lh_stall_is_on(void)
{
    return lh_options.stall != 0 && lh_options.strict == 0;
}

static inline void lh_stall_begin(struct lh_slot *slot)
{
    uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_relaxed) + 1;
    slot->turn_start = lh_counter();
    atomic_store_explicit(&slot->turn, turn, memory_order_release);
}

/* At the begin of a park: could the iteration that ends here be a stall, or is it marked? */
static inline bool lh_stall_may_be(const struct lh_slot *slot)
{
    return lh_counter() - slot->turn_start >=
               atomic_load_explicit(&lh_stall_counts, memory_order_relaxed) ||
           atomic_load_explicit(&slot->marked, memory_order_relaxed) == LH_MARKED_ALL;
}

/* Decides about an iteration that ends, and reports it. errno stays. */
void lh_stall_end(struct lh_slot *slot);

/* The loop or the process ends inside an iteration: one that has been told as going on ends here.
 */
void lh_stall_abandon(struct lh_slot *slot);

/* A call of this iteration has ended: one of those that add up, or a wait for the GIL. Takes a
 * sample when enough time has been spent so. */
void lh_stall_add_call(struct lh_slot *slot, uint64_t counted);

/* The same for one that was told as a block, or that nobody wants to be told of. */
void lh_stall_add_told(struct lh_slot *slot, uint64_t elapsed_ns);

/* The outermost allow scope ends, or the iteration in it: its time is not to be told. */
void lh_stall_allowed(struct lh_slot *slot);

/* Is the iteration, which goes on, to be told now? It is at the threshold and at doubling times
 * after it. */
struct lh_stall_tale {
    uint64_t id;
    uint64_t elapsed_ns;
};
bool lh_stall_is_told(struct lh_slot *slot, struct lh_stall_tale *tale);

/* The same, of an iteration whose age, without what its blocks tell, is known. Also runs on the
 * watchdog. */
bool lh_stall_tell(struct lh_slot *slot, uint64_t turn, struct lh_stall_tale *tale);

/* The id under which this iteration has been told; 0: it has not. Any thread. */
uint64_t lh_stall_id(const struct lh_slot *slot, uint64_t turn);

/* Where no call of ours is in flight and the thread waits all the same: samples that, and tells it
 * as going on. Runs on the watchdog only. */
void lh_stall_look_at_wait(struct lh_slot *slot, uint64_t turn, uint64_t tick_ns);

/* One look of the watchdog at a loop thread that is not parked. Runs on the watchdog only. */
void lh_stall_look(struct lh_slot *slot, uint64_t tick_ns);

#endif
