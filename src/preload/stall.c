/* Iterations that took long. Runs on the loop threads, also in the sampling signal's handler: keeps
 * errno, raw system calls only, no malloc, no locks, little stack. */
#include "preload/stall.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "preload/loop.h"
#include "preload/proc.h"
#include "preload/process.h"
#include "preload/python.h"
#include "preload/report.h"
#include "preload/sampler.h"
#include "preload/signals.h"
#include "preload/stops.h"
#include "preload/sys.h"
#include "preload/throttle.h"
#include "preload/victims.h"

LH_HIDDEN _Atomic uint64_t lh_stall_counts = UINT64_MAX;
LH_HIDDEN _Atomic uint64_t lh_threshold_counts;
LH_HIDDEN _Atomic uint64_t lh_sample_counts = UINT64_MAX;

static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

static uint64_t current_turn(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->turn, memory_order_relaxed);
}

/* The accounts of the iteration that runs now. Our handler may want them too: no signal between. */
static struct lh_iteration *accounts(struct lh_slot *slot)
{
    struct lh_iteration *iteration = &slot->iteration;
    if (LH_LIKELY(iteration->turn == current_turn(slot)))
        return iteration;
    uint64_t signals = lh_signals_block();
    if (iteration->turn != current_turn(slot)) {
        memset(iteration, 0, sizeof(*iteration));
        iteration->turn = current_turn(slot);
    }
    lh_signals_restore(signals);
    return iteration;
}

static uint64_t age_ns(const struct lh_slot *slot)
{
    uint64_t now = lh_counter();
    uint64_t ns = now > slot->turn_start ? lh_counter_to_ns(now - slot->turn_start) : 0;
    return ns - lh_stops_within(slot->turn_start, ns);
}

/* A new call takes the place of the one with the least time, when the list is full. */
static void add_call(struct lh_iteration *iteration, uint32_t call, uint64_t counted)
{
    struct lh_call_sum *least = &iteration->calls[0];
    for (uint32_t i = 0; i < iteration->call_count; i++) {
        struct lh_call_sum *sum = &iteration->calls[i];
        if (sum->call == call) {
            sum->count++;
            sum->counted += counted;
            return;
        }
        if (sum->counted < least->counted)
            least = sum;
    }
    if (iteration->call_count < LH_STALL_CALLS)
        least = &iteration->calls[iteration->call_count++];
    else if (counted < least->counted)
        return;
    *least = (struct lh_call_sum){.call = call, .count = 1, .counted = counted};
}

static bool is_sampled(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->sampled_turn, memory_order_relaxed) == current_turn(slot);
}

static void sample_call(struct lh_slot *slot, struct lh_iteration *iteration)
{
    struct lh_call_copy copy;
    uint64_t stands_for_ns = lh_counter_to_ns(iteration->unsampled);
    iteration->unsampled = 0;
    lh_loop_note_python(slot);
    lh_call_copy_own(slot, &copy);
    lh_sample_write(slot, &copy, stands_for_ns, false);
}

void lh_stall_add_call(struct lh_slot *slot, uint64_t counted)
{
    if (!lh_stall_is_on() || current_turn(slot) == 0)
        return;
    struct lh_iteration *iteration = accounts(slot);
    if (lh_call_info(slot->call)->subject == LH_SUBJECT_LOCK &&
        lh_python_is_runtime_lock(slot->subject)) {
        iteration->gil += counted;
        return;
    }
    add_call(iteration, slot->call, counted);
    iteration->unsampled += counted;
    if (is_sampled(slot) && iteration->unsampled >= atomic_load(&lh_sample_counts))
        sample_call(slot, iteration);
}

/* In an allow scope its end tells it. */
void lh_stall_add_told(struct lh_slot *slot, uint64_t elapsed_ns)
{
    if (lh_stall_is_on() && current_turn(slot) != 0 && atomic_load(&slot->allow_depth) == 0)
        accounts(slot)->told_ns += elapsed_ns;
}

void lh_stall_allowed(struct lh_slot *slot)
{
    uint64_t start = slot->allow_start > slot->turn_start ? slot->allow_start : slot->turn_start;
    uint64_t now = lh_counter();
    slot->allow_start = now;
    if (lh_stall_is_on() && current_turn(slot) != 0 && now > start)
        accounts(slot)->told_ns += lh_counter_to_ns(now - start);
}

uint64_t lh_stall_id(const struct lh_slot *slot, uint64_t turn)
{
    uint64_t told = atomic_load(&slot->told);
    return told >> 32 == (uint32_t)turn ? (uint32_t)told : 0;
}

/* True: it is ours to begin. */
static bool begin_telling(struct lh_slot *slot, uint64_t turn, uint64_t before)
{
    uint64_t id = 0;
    if (lh_rate_take(slot))
        id = atomic_fetch_add(&lh_process->next_id, 1) + 1;
    else
        atomic_fetch_sub(&slot->skipped, 1); /* counted at the iteration's end */
    return atomic_compare_exchange_strong(&slot->told, &before, turn << 32 | (uint32_t)id);
}

bool lh_stall_tell(struct lh_slot *slot, uint64_t turn, struct lh_stall_tale *tale)
{
    uint64_t threshold_ns = lh_options.threshold_ns > 0 ? lh_options.threshold_ns : 1;
    uint64_t before = atomic_load(&slot->told);
    uint64_t due_ns = atomic_load(&slot->told_next_ns);
    bool first = before >> 32 != (uint32_t)turn;
    if (atomic_load(&slot->allow_depth) != 0 || tale->elapsed_ns < (first ? threshold_ns : due_ns))
        return false;
    uint64_t next_ns = first ? threshold_ns : due_ns;
    while (next_ns <= tale->elapsed_ns)
        next_ns *= 2;
    if (first && !begin_telling(slot, turn, before))
        return false;
    if (!atomic_compare_exchange_strong(&slot->told_next_ns, &due_ns, next_ns))
        return false;
    tale->id = lh_stall_id(slot, turn);
    return tale->id != 0;
}

bool lh_stall_is_told(struct lh_slot *slot, struct lh_stall_tale *tale)
{
    const struct lh_iteration *iteration = accounts(slot);
    tale->elapsed_ns = age_ns(slot);
    tale->elapsed_ns -= iteration->told_ns < tale->elapsed_ns ? iteration->told_ns : 0;
    return lh_stall_tell(slot, iteration->turn, tale);
}

static uint64_t less(uint64_t from, uint64_t part)
{
    return part == LH_UNKNOWN ? from : since(from, part);
}

static bool has_baseline(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->baseline.turn, memory_order_acquire) == current_turn(slot);
}

/* Where the watchdog came too late to see the iteration: since its last look, which is at most a
 * tick too much. */
static void fill_cpu(struct lh_stall *stall, const struct lh_slot *slot, uint64_t elapsed_ns)
{
    uint64_t before_ns = has_baseline(slot) ? slot->baseline.cpu_ns : slot->look_cpu_ns;
    uint64_t cpu_ns = since((uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID), before_ns);
    stall->oncpu_ns = cpu_ns < elapsed_ns ? cpu_ns : elapsed_ns;
}

/* As above. The end of the iteration is now: the watchdog's latest look may be a tick ago. */
static void fill_run_delay(struct lh_stall *stall, const struct lh_slot *slot, uint64_t elapsed_ns)
{
    uint64_t before_ns = has_baseline(slot) ? slot->baseline.run_delay_ns : slot->look_delay_ns;
    uint64_t now_ns = lh_proc_run_delay_ns(atomic_load(&slot->tid));
    uint64_t off_ns = elapsed_ns - stall->oncpu_ns;
    if (before_ns == LH_UNKNOWN || now_ns == LH_UNKNOWN)
        return;
    uint64_t delay_ns = since(now_ns, before_ns);
    stall->runqueue_ns = delay_ns < off_ns ? delay_ns : off_ns;
}

static void fill_faults(struct lh_stall *stall, const struct lh_baseline *baseline)
{
    struct rusage usage = {0};
    if (baseline->major_faults != LH_UNKNOWN &&
        lh_syscall2(SYS_getrusage, RUSAGE_THREAD, (long)&usage) == 0)
        stall->major_faults = since((uint64_t)usage.ru_majflt, baseline->major_faults);
}

/* Every millisecond once. A thread that waits for the GIL looks for it every few milliseconds, and
 * may have to wait for a processor to do so: all of that is the GIL's. */
static void share_out(struct lh_stall *stall, uint64_t elapsed_ns)
{
    uint64_t rest_ns = since(elapsed_ns, stall->oncpu_ns);
    if (stall->gil_ns > rest_ns)
        stall->gil_ns = rest_ns;
    rest_ns -= stall->gil_ns;
    if (stall->runqueue_ns != LH_UNKNOWN && stall->runqueue_ns > rest_ns)
        stall->runqueue_ns = rest_ns;
    stall->blocked_ns = less(rest_ns, stall->runqueue_ns);
}

/* The part of the wait for a processor in which its cgroup was throttled. That is told of all
 * processors together, so it may be more than the thread has waited. */
static void fill_throttled(struct lh_stall *stall, const struct lh_slot *slot)
{
    uint64_t before_ns = has_baseline(slot) ? slot->baseline.throttled_ns : lh_throttle_latest_ns();
    stall->throttled_ns = LH_UNKNOWN;
    if (before_ns == LH_UNKNOWN || stall->runqueue_ns == LH_UNKNOWN)
        return;
    uint64_t now_ns = lh_throttle_now_ns();
    if (now_ns != LH_UNKNOWN)
        stall->throttled_ns = at_most(since(now_ns, before_ns), stall->runqueue_ns);
}

/* What nothing else explains was spent blocked: in calls, in system calls made past libc, in page
 * faults. */
static void fill_accounts(struct lh_stall *stall, struct lh_slot *slot, uint64_t elapsed_ns)
{
    const struct lh_iteration *iteration = accounts(slot);
    memset(stall, 0, sizeof(*stall));
    stall->turn = iteration->turn;
    stall->gil_ns = lh_counter_to_ns(iteration->gil);
    stall->call_count = iteration->call_count;
    for (uint32_t i = 0; i < iteration->call_count; i++)
        stall->calls[i] =
            (struct lh_stall_call){iteration->calls[i].call, iteration->calls[i].count,
                                   lh_counter_to_ns(iteration->calls[i].counted)};
    fill_cpu(stall, slot, elapsed_ns);
    stall->runqueue_ns = LH_UNKNOWN;
    stall->major_faults = LH_UNKNOWN;
    fill_run_delay(stall, slot, elapsed_ns);
    if (has_baseline(slot))
        fill_faults(stall, &slot->baseline);
    share_out(stall, elapsed_ns);
    fill_throttled(stall, slot);
}

static uint64_t unexplained_ns(const struct lh_stall *stall)
{
    uint64_t ns = stall->blocked_ns;
    for (uint32_t i = 0; i < stall->call_count; i++)
        ns = since(ns, stall->calls[i].total_ns);
    return ns;
}

/* The process was held until a moment ago, and the watchdog has not noted it yet. */
static uint64_t without_stop(struct lh_stall *stall, uint64_t elapsed_ns, uint64_t held_ns)
{
    if (held_ns > unexplained_ns(stall))
        held_ns = unexplained_ns(stall);
    stall->blocked_ns -= held_ns;
    return elapsed_ns - held_ns;
}

static void write_stall(struct lh_slot *slot, struct lh_ring *ring, const struct lh_stall *stall,
                        uint64_t elapsed_ns)
{
    uint64_t id = lh_stall_id(slot, current_turn(slot));
    struct lh_record *record = id != 0 || lh_rate_take(slot) ? lh_ring_reserve(ring) : NULL;
    if (record == NULL) {
        atomic_fetch_add(&ring->totals.dropped, 1);
        return;
    }
    struct lh_call_copy copy = {.tid = atomic_load(&slot->tid)};
    lh_record_fill(record, LH_EVENT_STALL, &copy, elapsed_ns, true);
    record->stall = *stall;
    record->id = id != 0 ? id : atomic_fetch_add(&lh_process->next_id, 1) + 1;
    record->group = LH_GROUP_OTHER;
    record->skipped = atomic_exchange(&slot->skipped, 0);
    record->resource.kind = LH_RESOURCE_NONE;
    record->resource.length = 0;
    record->awaits_victims = lh_victims_await(slot);
    lh_ring_commit(ring, record);
    lh_ring_wake(ring);
}

static void report(struct lh_slot *slot, uint64_t elapsed_ns, uint64_t held_ns)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_stall stall;
    if (ring == NULL)
        return;
    fill_accounts(&stall, slot, elapsed_ns);
    elapsed_ns = without_stop(&stall, elapsed_ns, held_ns);
    if (elapsed_ns < lh_options.threshold_ns)
        return;
    atomic_fetch_add_explicit(&ring->totals.stalls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&ring->totals.stalled_ns, elapsed_ns, memory_order_relaxed);
    write_stall(slot, ring, &stall, elapsed_ns);
}

void lh_stall_end(struct lh_slot *slot)
{
    int saved_errno = errno;
    atomic_store_explicit(&slot->marked, 0, memory_order_relaxed);
    if (!lh_stall_is_on() || current_turn(slot) == 0 || !lh_process_is_ours())
        return;
    uint64_t signals = lh_signals_block();
    uint64_t held_ns = lh_stops_overdue();
    uint64_t elapsed_ns = age_ns(slot);
    if (is_sampled(slot))
        lh_sampler_stop(slot);
    if (atomic_load(&slot->allow_depth) != 0)
        lh_stall_allowed(slot);
    if (slot->iteration.turn == current_turn(slot))
        elapsed_ns = since(elapsed_ns, slot->iteration.told_ns);
    if (elapsed_ns >= lh_options.threshold_ns)
        report(slot, elapsed_ns, held_ns);
    lh_signals_restore(signals);
    errno = saved_errno;
}

void lh_stall_abandon(struct lh_slot *slot)
{
    if (lh_stall_id(slot, current_turn(slot)) != 0)
        lh_stall_end(slot);
}
