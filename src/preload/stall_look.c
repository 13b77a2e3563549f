/* Iterations that go on. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include <stddef.h>

#include "preload/holder.h"
#include "preload/proc.h"
#include "preload/python.h"
#include "preload/sampler.h"
#include "preload/stall.h"
#include "preload/throttle.h"

#define STEP  (1U << 20)
#define SLACK 64 /* a sixty-fourth: what the counter's measured rate may be wrong by, and more */

static uint64_t counts_of(uint64_t ns, uint64_t step_ns)
{
    return (uint64_t)((unsigned __int128)ns * STEP / step_ns);
}

void lh_stall_init(void)
{
    uint64_t step_ns = lh_counter_to_ns(STEP);
    if (step_ns == 0)
        return;
    uint64_t counts = counts_of(lh_options.threshold_ns, step_ns);
    counts -= counts / SLACK;
    atomic_store(&lh_threshold_counts, counts);
    atomic_store(&lh_stall_counts, lh_stall_is_on() ? counts : UINT64_MAX);
    if (lh_stall_is_on())
        lh_throttle_init();
    atomic_store(&lh_sample_counts, counts_of(LH_SAMPLE_NS, step_ns));
}

/* The CPU clock of another thread of this process: clock_getcpuclockid(3) and the kernel's
 * include/linux/posix-timers.h. */
static uint64_t thread_cpu_ns(uint32_t tid)
{
    return (uint64_t)lh_clock_ns((clockid_t)(~tid << 3 | 6));
}

static uint64_t major_faults(uint32_t tid)
{
    char line[512];
    const char *fields = lh_proc_stat(tid, line, sizeof(line));
    return fields != NULL ? lh_proc_field(fields, 12 - 3) : LH_UNKNOWN;
}

static void take_baseline(struct lh_slot *slot, uint64_t turn, uint32_t tid)
{
    struct lh_baseline *baseline = &slot->baseline;
    baseline->cpu_ns = slot->turn_cpu_ns;
    baseline->run_delay_ns = slot->turn_delay_ns;
    baseline->major_faults = major_faults(tid);
    baseline->throttled_ns = slot->turn_throttled_ns;
    atomic_store_explicit(&baseline->turn, turn, memory_order_release);
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

/* What the CPU clock must have said when the iteration began: the thread has run at most as long as
 * the iteration is old, and at most what it has run since the last look. It waited for a processor
 * in what is left of that time at most. */
static void note_begin(struct lh_slot *slot, uint64_t turn, uint64_t cpu_ns, uint64_t delay_ns,
                       uint64_t age_ns)
{
    uint64_t ran_ns = at_most(cpu_ns - slot->look_cpu_ns, age_ns);
    slot->turn_cpu_ns = cpu_ns - ran_ns;
    slot->turn_delay_ns = delay_ns;
    if (delay_ns != LH_UNKNOWN && slot->look_delay_ns != LH_UNKNOWN)
        slot->turn_delay_ns -= at_most(delay_ns - slot->look_delay_ns, age_ns - ran_ns);
    slot->look_turn = turn;
}

/* The same of its cgroup: what that was throttled since the last look was before the iteration, as
 * far as the thread has not waited for a processor in it. */
static void note_throttled(struct lh_slot *slot, uint64_t delay_ns)
{
    uint64_t latest_ns = lh_throttle_latest_ns();
    uint64_t before_ns = lh_throttle_before_ns();
    slot->turn_throttled_ns = latest_ns;
    if (latest_ns == LH_UNKNOWN || delay_ns == LH_UNKNOWN)
        return;
    slot->turn_throttled_ns = LH_UNKNOWN;
    if (before_ns != LH_UNKNOWN && latest_ns >= before_ns)
        slot->turn_throttled_ns =
            latest_ns - at_most(latest_ns - before_ns, delay_ns - slot->turn_delay_ns);
}

static void look_for_gil(struct lh_slot *slot)
{
    struct lh_call_copy copy;
    if (lh_call_copy_consistent(slot, &copy) &&
        lh_call_info(copy.call)->subject == LH_SUBJECT_LOCK &&
        lh_python_is_runtime_lock(copy.subject))
        lh_holder_report(slot, &copy, 0);
}

void lh_stall_look(struct lh_slot *slot, uint64_t tick_ns)
{
    uint32_t tid = atomic_load(&slot->tid);
    uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
    uint64_t start = slot->turn_start;
    uint64_t now = lh_counter();
    if (!lh_stall_is_on() || turn == 0 || now < start || turn != atomic_load(&slot->turn))
        return;
    uint64_t age_ns = lh_counter_to_ns(now - start);
    uint64_t cpu_ns = thread_cpu_ns(tid);
    uint64_t delay_ns = lh_proc_run_delay_ns(tid);
    if (slot->look_turn != turn) {
        note_begin(slot, turn, cpu_ns, delay_ns, age_ns);
        note_throttled(slot, delay_ns);
    }
    slot->look_cpu_ns = cpu_ns;
    slot->look_delay_ns = delay_ns;
    if (age_ns < tick_ns / 4)
        return;
    if (atomic_load(&slot->baseline.turn) != turn)
        take_baseline(slot, turn, tid);
    atomic_store(&slot->marked, LH_MARKED_ALL);
    if (age_ns >= lh_options.threshold_ns / 2) {
        lh_sampler_start(slot, turn);
        lh_stall_look_at_wait(slot, turn, tick_ns);
        look_for_gil(slot);
    }
}
