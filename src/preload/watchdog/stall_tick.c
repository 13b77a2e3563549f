/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations that go on. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/stall_tick.h"

#include <stddef.h>

#include "preload/iteration/stall.h"
#include "preload/state/in_loop.h"
#include "preload/state/throttle.h"
#include "preload/sys/proc.h"
#include "preload/watchdog/kept_times.h"
#include "preload/watchdog/outside.h"
#include "preload/watchdog/sample_timer.h"

#define STEP     (1U << 20)
#define DOUBT_NS (10 * LH_NS_PER_S)
#define SLACK    64 /* a sixty-fourth: what the counter's measured rate may be wrong by, and more */

static uint64_t tsc_of(uint64_t ns, uint64_t step_ns)
{
    return (uint64_t)((unsigned __int128)ns * STEP / step_ns);
}

/* So many steps of the counter are a tick; an iteration is young that is not a quarter of one old.
 */
static uint64_t tick_tsc;
#define YOUNG 4

void lh_stall_tick_init(uint64_t tick_ns)
{
    uint64_t step_ns = lh_counter_to_ns(STEP);
    if (step_ns == 0)
        return;
    tick_tsc = tsc_of(tick_ns, step_ns);
    uint64_t counts = tsc_of(lh_options.threshold_ns, step_ns);
    counts -= counts / SLACK;
    atomic_store(&lh_threshold_tsc, counts);
    atomic_store(&lh_stall_tsc, lh_stall_is_on() ? counts : UINT64_MAX);
    if (lh_stall_is_on())
        lh_throttle_init();
    atomic_store(&lh_sample_tsc, tsc_of(LH_SAMPLE_NS, step_ns));
}

static uint64_t major_faults(uint32_t tid)
{
    char line[512];
    const char *fields = lh_proc_stat(tid, line, sizeof(line));
    return fields != NULL ? lh_proc_field(fields, 12 - 3) : LH_UNKNOWN;
}

/* The owner reads it under this number alone, and has done with an earlier one when it gives itself
 * the next: nobody reads what is overwritten here. */
static void take_baseline(struct lh_slot *slot, uint64_t iteration_id)
{
    struct lh_baseline *baseline = &slot->baseline;
    baseline->cpu_ns = slot->begin_cpu_ns;
    baseline->run_delay_ns = slot->begin_delay_ns;
    baseline->throttled_ns = slot->begin_throttled_ns;
    atomic_store_explicit(&baseline->major_faults, LH_UNKNOWN, memory_order_relaxed);
    atomic_store_explicit(&baseline->iteration_id, iteration_id, memory_order_release);
}

/* The kernel works for these longer than for all the rest: not for each iteration that is but a
 * little long. */
static void take_faults(struct lh_slot *slot, uint32_t tid)
{
    struct lh_baseline *baseline = &slot->baseline;
    if (atomic_load_explicit(&baseline->major_faults, memory_order_relaxed) == LH_UNKNOWN)
        atomic_store_explicit(&baseline->major_faults, major_faults(tid), memory_order_relaxed);
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

/* What the CPU clock must have said when the iteration began: the thread has run at most as long as
 * the iteration is old, and at most what it has run since its times were last read. It waited for a
 * processor in what is left of that time at most. */
static void note_begin(struct lh_slot *slot, uint64_t iteration_id, uint64_t before_cpu_ns,
                       uint64_t before_delay_ns, uint64_t age_ns)
{
    uint64_t delay_ns = slot->tick_delay_ns;
    uint64_t ran_ns = at_most(slot->tick_cpu_ns - before_cpu_ns, age_ns);
    slot->begin_cpu_ns = slot->tick_cpu_ns - ran_ns;
    slot->begin_delay_ns = delay_ns;
    if (delay_ns != LH_UNKNOWN && before_delay_ns != LH_UNKNOWN)
        slot->begin_delay_ns -= at_most(delay_ns - before_delay_ns, age_ns - ran_ns);
    slot->tick_iteration = iteration_id;
}

/* The same of its cgroup: what that was throttled since the last look was before the iteration, as
 * far as the thread has not waited for a processor in it. */
static void note_throttled(struct lh_slot *slot)
{
    uint64_t delay_ns = slot->tick_delay_ns;
    uint64_t latest_ns = lh_throttle_latest_ns();
    uint64_t before_ns = lh_throttle_before_ns();
    slot->begin_throttled_ns = latest_ns;
    if (latest_ns == LH_UNKNOWN || delay_ns == LH_UNKNOWN)
        return;
    slot->begin_throttled_ns = LH_UNKNOWN;
    if (before_ns != LH_UNKNOWN && latest_ns >= before_ns)
        slot->begin_throttled_ns =
            latest_ns - at_most(latest_ns - before_ns, delay_ns - slot->begin_delay_ns);
}

/* Since the look before, as far as that was in this iteration. */
static uint64_t since_last_ns(struct lh_slot *slot, uint64_t now, uint64_t age_ns)
{
    uint64_t before = slot->tick_at;
    slot->tick_at = now;
    return before != 0 && now > before ? at_most(lh_counter_to_ns(now - before), age_ns) : age_ns;
}

/* What may turn out to be a part of the loop is looked at as well, for a while. */
static bool is_looked_at(struct lh_slot *slot, uint64_t age_ns)
{
    return lh_in_loop_look(slot) || (age_ns < (uint64_t)DOUBT_NS && lh_in_loop_is_doubtful(slot));
}

static void read_times(struct lh_slot *slot, uint32_t tid)
{
    slot->tick_cpu_ns = (uint64_t)lh_clock_ns(lh_clock_of_thread(tid));
    slot->tick_delay_ns = lh_kept_run_delay_ns(slot, tid);
}

/* `age_tsc`: how old it is `now`. Its start may be another one's meanwhile. */
static void look_at(struct lh_slot *slot, uint64_t iteration_id, uint32_t tid, uint64_t now,
                    uint64_t age_tsc)
{
    uint64_t age_ns = lh_counter_to_ns(age_tsc);
    uint64_t before_cpu_ns = slot->tick_cpu_ns;
    uint64_t before_delay_ns = slot->tick_delay_ns;
    read_times(slot, tid);
    if (slot->tick_iteration != iteration_id) {
        note_begin(slot, iteration_id, before_cpu_ns, before_delay_ns, age_ns);
        note_throttled(slot);
    }
    uint64_t since_ns = since_last_ns(slot, now, age_ns);
    if (age_tsc < tick_tsc / YOUNG)
        return;
    if (atomic_load(&slot->baseline.iteration_id) != iteration_id)
        take_baseline(slot, iteration_id);
    if (age_tsc >= tick_tsc)
        take_faults(slot, tid);
    atomic_store(&slot->marked, LH_MARKED_ALL);
    if (age_ns >= lh_options.threshold_ns / 2 && is_looked_at(slot, age_ns)) {
        lh_sample_timer_tick(slot, iteration_id, slot->tick_cpu_ns - before_cpu_ns);
        lh_outside_tick(slot, iteration_id, since_ns);
    }
}

void lh_stall_tick(struct lh_slot *slot, bool reads)
{
    uint32_t tid = atomic_load(&slot->tid);
    uint64_t iteration_id = atomic_load_explicit(&slot->iteration_id, memory_order_acquire);
    uint64_t start = slot->iteration_start;
    uint64_t now = lh_counter();
    if (!lh_stall_is_on() || iteration_id == 0 || now < start ||
        iteration_id != atomic_load(&slot->iteration_id))
        return;
    if (reads || now - start >= tick_tsc / YOUNG)
        look_at(slot, iteration_id, tid, now, now - start);
}

void lh_stall_tick_parked(struct lh_slot *slot)
{
    uint32_t tid = atomic_load(&slot->tid);
    if (lh_stall_is_on() && tid != 0)
        read_times(slot, tid);
}
