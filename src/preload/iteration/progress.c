/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations that are reported while they last. See progress.h: raw system calls only, no malloc,
 * no locks. */
#include "preload/iteration/progress.h"

#include "common/told.h"
#include "preload/iteration/accounts.h"
#include "preload/state/in_loop.h"
#include "preload/state/record.h"
#include "preload/state/suspends.h"
#include "preload/sys/clock.h"

uint64_t lh_progress_id(const struct lh_slot *slot, uint64_t iteration_id)
{
    uint64_t progress = atomic_load(&slot->progress);
    return progress >> 32 == (uint32_t)iteration_id ? (uint32_t)progress : 0;
}

/* True: it is ours to begin. */
static bool begin_reports(struct lh_slot *slot, uint64_t iteration_id, uint64_t before)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    uint64_t id = 0;
    if (lh_rate_take(slot, LH_RATE_LONG))
        id = (uint32_t)lh_report_id();
    else
        atomic_fetch_sub(&slot->skipped, 1); /* counted at the iteration's end */
    uint64_t latest = before;
    if (!atomic_compare_exchange_strong(&slot->progress, &latest, iteration_id << 32 | id))
        return false;
    if (ring != NULL) {
        lh_told_end(ring, (uint32_t)before); /* an iteration before this one */
        if (id != 0)
            lh_told_begin(ring, id, LH_TOLD_ITERATION);
    }
    return true;
}

static uint64_t reported_by_blocks_ns(const struct lh_slot *slot, uint64_t iteration_id)
{
    return lh_accounts_iteration(slot) == iteration_id ? slot->accounts.reported_ns : 0;
}

uint64_t lh_progress_age_ns(const struct lh_slot *slot)
{
    uint64_t start = slot->iteration_start;
    uint64_t now = lh_counter();
    uint64_t age_ns = now > start ? lh_counter_to_ns(now - start) : 0;
    return age_ns - lh_suspends_within(start, age_ns);
}

uint64_t lh_progress_elapsed_ns(const struct lh_slot *slot, uint64_t iteration_id)
{
    uint64_t age_ns = lh_progress_age_ns(slot);
    uint64_t reported_ns = reported_by_blocks_ns(slot, iteration_id);
    return age_ns > reported_ns ? age_ns - reported_ns : 0;
}

static bool is_first(uint64_t progress, uint64_t iteration_id)
{
    return progress >> 32 != (uint32_t)iteration_id;
}

/* Never 0. The slot's own may be: another thread, or what this signal handler has interrupted, has
 * just begun to report this iteration, and has not said yet when it is due again. */
static uint64_t due_ns(bool first, uint64_t next_ns)
{
    uint64_t threshold_ns = lh_options.threshold_ns > 0 ? lh_options.threshold_ns : 1;
    return first || next_ns == 0 ? threshold_ns : next_ns;
}

uint64_t lh_progress_due_ns(const struct lh_slot *slot, uint64_t iteration_id)
{
    return due_ns(is_first(atomic_load(&slot->progress), iteration_id),
                  atomic_load(&slot->progress_next_ns));
}

bool lh_progress_should_report(struct lh_slot *slot, uint64_t iteration_id,
                               struct lh_progress *progress)
{
    uint64_t before = atomic_load(&slot->progress);
    uint64_t said_ns = atomic_load(&slot->progress_next_ns);
    bool first = is_first(before, iteration_id);
    uint64_t next_ns = due_ns(first, said_ns);
    if (atomic_load(&slot->allow_depth) != 0 || progress->elapsed_ns < next_ns)
        return false;
    if (!lh_in_loop_look(slot))
        return false;
    while (next_ns <= progress->elapsed_ns)
        next_ns *= 2;
    if (first && !begin_reports(slot, iteration_id, before))
        return false;
    if (!atomic_compare_exchange_strong(&slot->progress_next_ns, &said_ns, next_ns))
        return false;
    progress->id = lh_progress_id(slot, iteration_id);
    return progress->id != 0;
}

void lh_progress_note_gil(struct lh_slot *slot, uint64_t iteration_id, uint64_t cpu_ns)
{
    atomic_store(&slot->gil_cpu_ns, cpu_ns);
    atomic_store(&slot->gil_iteration, iteration_id);
}

bool lh_progress_waits_for_gil(const struct lh_slot *slot, uint64_t iteration_id, uint64_t cpu_ns)
{
    return atomic_load(&slot->gil_iteration) == iteration_id &&
           cpu_ns - atomic_load(&slot->gil_cpu_ns) < LH_SAMPLE_NS;
}

/* Of a loop that parks past libc only the watchdog sees that an iteration has ended: until its last
 * look, for certain, it was this one. */
static uint64_t certain_age_ns(const struct lh_slot *slot)
{
    uint64_t age_ns = lh_accounts_age_ns(slot);
    if (atomic_load(&slot->inlined.is) == 0)
        return age_ns;
    uint64_t start = slot->iteration_start;
    uint64_t looked_at = atomic_load(&slot->inlined.looked_at);
    uint64_t seen_ns = looked_at > start ? lh_counter_to_ns(looked_at - start) : 0;
    return seen_ns < age_ns ? seen_ns : age_ns;
}

bool lh_progress_should_report_own(struct lh_slot *slot, struct lh_progress *progress)
{
    const struct lh_accounts *accounts = lh_accounts(slot);
    progress->age_ns = certain_age_ns(slot);
    progress->elapsed_ns = progress->age_ns;
    progress->elapsed_ns -=
        accounts->reported_ns < progress->elapsed_ns ? accounts->reported_ns : 0;
    uint64_t cpu_ns = (uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return !lh_progress_waits_for_gil(slot, accounts->iteration_id, cpu_ns) &&
           lh_progress_should_report(slot, accounts->iteration_id, progress);
}
