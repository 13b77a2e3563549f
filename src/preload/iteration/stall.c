/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations that took long. Runs on the loop threads, also in the sampling signal's handler: keeps
 * errno, raw system calls only, no malloc, no locks, little stack. */
#include "preload/iteration/stall.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "common/told.h"
#include "preload/iteration/accounts.h"
#include "preload/iteration/progress.h"
#include "preload/iteration/ready.h"
#include "preload/iteration/sampler.h"
#include "preload/python/interpreter.h"
#include "preload/state/in_loop.h"
#include "preload/state/record.h"
#include "preload/state/suspends.h"
#include "preload/state/throttle.h"
#include "preload/state/version.h"
#include "preload/state/waited_in.h"
#include "preload/sys/proc.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

LH_HIDDEN _Atomic uint64_t lh_stall_tsc = UINT64_MAX;
LH_HIDDEN _Atomic uint64_t lh_threshold_tsc;
LH_HIDDEN _Atomic uint64_t lh_sample_tsc = UINT64_MAX;

static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

static bool is_sampled(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->sampled_iteration, memory_order_relaxed) ==
           lh_iteration_now(slot);
}

static void sample_call(struct lh_slot *slot, struct lh_accounts *accounts)
{
    struct lh_call_copy copy;
    uint64_t stands_for_ns = lh_counter_to_ns(accounts->unsampled_tsc);
    accounts->unsampled_tsc = 0;
    lh_slot_note_python(slot);
    lh_call_copy_own(slot, &copy);
    lh_sample_write(slot, &copy, stands_for_ns, false);
}

void lh_stall_add_call(struct lh_slot *slot, uint64_t elapsed_tsc)
{
    if (!lh_stall_is_on() || lh_iteration_now(slot) == 0)
        return;
    struct lh_accounts *accounts = lh_accounts(slot);
    if (lh_call_info(slot->call)->operand == LH_OPERAND_CONDITION &&
        lh_python_is_runtime_lock(slot->operand)) {
        accounts->gil_tsc += elapsed_tsc;
        return;
    }
    lh_accounts_add_call(accounts, slot->call, elapsed_tsc);
    accounts->calls_tsc += elapsed_tsc;
    accounts->unsampled_tsc += elapsed_tsc;
    if (accounts->unsampled_tsc >= atomic_load(&lh_sample_tsc) &&
        (is_sampled(slot) || lh_in_loop_is_doubtful(slot)))
        sample_call(slot, accounts);
}

/* In an allow scope its end tells it. */
void lh_stall_add_reported(struct lh_slot *slot, uint64_t elapsed_ns)
{
    if (lh_stall_is_on() && lh_iteration_now(slot) != 0 && atomic_load(&slot->allow_depth) == 0)
        lh_accounts(slot)->reported_ns += elapsed_ns;
}

void lh_stall_allowed(struct lh_slot *slot)
{
    uint64_t start =
        slot->allow_start > slot->iteration_start ? slot->allow_start : slot->iteration_start;
    uint64_t now = lh_counter();
    slot->allow_start = now;
    if (lh_stall_is_on() && lh_iteration_now(slot) != 0 && now > start)
        lh_accounts(slot)->reported_ns += lh_counter_to_ns(now - start);
}

static uint32_t slot_tid(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->tid, memory_order_relaxed);
}

/* Not by the watchdog, for a loop that parks past libc. */
static bool is_own(const struct lh_slot *slot)
{
    return atomic_load(&slot->inlined.is) == 0 || lh_syscall0(SYS_gettid) == slot_tid(slot);
}

static uint64_t less(uint64_t from, uint64_t part)
{
    return part == LH_UNKNOWN ? from : since(from, part);
}

static bool has_baseline(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->baseline.iteration_id, memory_order_acquire) ==
           lh_iteration_now(slot);
}

/* Where the watchdog came too late to see the iteration: since it last read the times, which is at
 * most four ticks too much. */
static void fill_cpu(struct lh_stall *stall, const struct lh_slot *slot, uint64_t elapsed_ns)
{
    uint64_t before_ns = has_baseline(slot) ? slot->baseline.cpu_ns : slot->tick_cpu_ns;
    uint64_t cpu_ns = since((uint64_t)lh_clock_ns(lh_clock_of_thread(slot_tid(slot))), before_ns);
    stall->oncpu_ns = cpu_ns < elapsed_ns ? cpu_ns : elapsed_ns;
}

/* As above. The end of the iteration is now: the watchdog's latest look may be a tick ago. */
static void fill_run_delay(struct lh_stall *stall, const struct lh_slot *slot, uint64_t elapsed_ns)
{
    uint64_t before_ns = has_baseline(slot) ? slot->baseline.run_delay_ns : slot->tick_delay_ns;
    uint64_t now_ns = lh_proc_run_delay_ns(atomic_load(&slot->tid));
    uint64_t off_ns = elapsed_ns - stall->oncpu_ns;
    if (before_ns == LH_UNKNOWN || now_ns == LH_UNKNOWN)
        return;
    uint64_t delay_ns = since(now_ns, before_ns);
    stall->runqueue_ns = delay_ns < off_ns ? delay_ns : off_ns;
}

static void fill_faults(struct lh_stall *stall, const struct lh_baseline *baseline, bool own)
{
    struct rusage usage = {0};
    uint64_t before = atomic_load_explicit(&baseline->major_faults, memory_order_relaxed);
    if (own && before != LH_UNKNOWN && lh_syscall2(SYS_getrusage, RUSAGE_THREAD, (long)&usage) == 0)
        stall->major_faults = since((uint64_t)usage.ru_majflt, before);
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
    const struct lh_accounts *accounts = lh_accounts(slot);
    memset(stall, 0, sizeof(*stall));
    stall->iteration_id = accounts->iteration_id;
    stall->gil_ns = lh_counter_to_ns(accounts->gil_tsc);
    stall->call_count = accounts->call_count;
    for (uint32_t i = 0; i < accounts->call_count; i++)
        stall->calls[i] = (struct lh_stall_call){accounts->calls[i].call, accounts->calls[i].count,
                                                 lh_counter_to_ns(accounts->calls[i].tsc)};
    fill_cpu(stall, slot, elapsed_ns);
    stall->runqueue_ns = LH_UNKNOWN;
    stall->major_faults = LH_UNKNOWN;
    fill_run_delay(stall, slot, elapsed_ns);
    if (has_baseline(slot))
        fill_faults(stall, &slot->baseline, is_own(slot));
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

/* A call of which the watchdog saw nothing took no end time: what is known is when the last one
 * began. It is named where what nobody explains may have been in it. */
static void fill_last_call(struct lh_stall *stall, const struct lh_slot *slot)
{
    uint64_t unexplained = unexplained_ns(stall);
    uint64_t now = lh_in_loop_end(slot);
    bool in_iteration = slot->start >= slot->iteration_start && now > slot->start;
    uint64_t since_ns = in_iteration ? lh_counter_to_ns(now - slot->start) : 0;
    if (since_ns == 0 || unexplained < lh_options.threshold_ns / 2 || since_ns < unexplained)
        return;
    stall->last_call = slot->call;
    stall->last_call_ns = since_ns;
}

/* The process was held until a moment ago, and the watchdog still is. */
static uint64_t without_suspend(struct lh_stall *stall, uint64_t elapsed_ns, uint64_t suspended_ns)
{
    if (suspended_ns > unexplained_ns(stall))
        suspended_ns = unexplained_ns(stall);
    stall->blocked_ns -= suspended_ns;
    return elapsed_ns - suspended_ns;
}

/* Of the iteration that ends. */
static enum lh_no_stack why_no_stack(const struct lh_slot *slot)
{
    enum lh_no_stack no_signal = lh_sampler_no_signal(slot, lh_iteration_now(slot));
    if (lh_options.stack_frames == 0)
        return LH_STACK_KNOWN;
    if (lh_memory_is_denied())
        return LH_NO_STACK_DENIED;
    if (atomic_load(&slot->seen_iteration) == lh_iteration_now(slot))
        return LH_STACK_KNOWN;
    return no_signal != LH_STACK_KNOWN ? no_signal : LH_NO_STACK_LATE;
}

/* Where the watchdog found it, the last time that it waited past libc. */
static void fill_waited_in(struct lh_record *record, const struct lh_slot *slot)
{
    const struct lh_waited_in *waited_in = &slot->waited_in;
    uint32_t version = lh_version_now(&waited_in->version);
    uint64_t iteration_id = waited_in->iteration_id;
    int32_t number = waited_in->number;
    uintptr_t first = waited_in->first;
    if (iteration_id != lh_iteration_now(slot) || !lh_version_is(&waited_in->version, version))
        return;
    record->system_call = number;
    lh_waited_in_fill(&record->resource, number, first, is_own(slot));
}

static void write_stall(struct lh_slot *slot, struct lh_ring *ring, const struct lh_stall *stall,
                        uint64_t elapsed_ns)
{
    uint64_t id = lh_progress_id(slot, lh_iteration_now(slot));
    if (id == 0 && !lh_rate_take(slot, LH_RATE_LONG)) {
        atomic_fetch_add(&ring->totals.dropped, 1);
        return;
    }
    const struct lh_call_copy copy = {.tid = atomic_load(&slot->tid)};
    struct lh_record *record = lh_record_begin(LH_EVENT_STALL, &copy, elapsed_ns, is_own(slot));
    if (record == NULL) {
        lh_told_end(ring, id); /* nothing else says that it has ended */
        return;
    }
    lh_record_name_python(record, copy.tid, slot->python_thread, record->thread);
    record->span_ns = lh_accounts_age_ns(slot);
    record->stall = *stall;
    record->no_stack = why_no_stack(slot);
    fill_waited_in(record, slot);
    record->id = id != 0 ? id : lh_report_id();
    record->skipped = atomic_exchange(&slot->skipped, 0);
    record->awaits_victims = lh_ready_await(slot);
    lh_record_publish(record);
}

static void report(struct lh_slot *slot, uint64_t elapsed_ns, uint64_t suspended_ns)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_stall stall;
    if (ring == NULL)
        return;
    fill_accounts(&stall, slot, elapsed_ns);
    elapsed_ns = without_suspend(&stall, elapsed_ns, suspended_ns);
    fill_last_call(&stall, slot);
    if (elapsed_ns < lh_options.threshold_ns)
        return;
    write_stall(slot, ring, &stall, elapsed_ns); /* first, as a block's report */
    atomic_fetch_add_explicit(is_own(slot) ? &lh_self.reports : &slot->reports, 1,
                              memory_order_release);
    atomic_fetch_add_explicit(&ring->totals.stalls, 1, memory_order_release);
    atomic_fetch_add_explicit(&ring->totals.stalled_ns, elapsed_ns, memory_order_relaxed);
}

/* Of a loop that parks past libc its thread and the watchdog may both be at it: one of them is. */
static bool is_mine_to_end(struct lh_slot *slot)
{
    uint64_t iteration_id = lh_iteration_now(slot);
    return atomic_load(&slot->inlined.is) == 0 ||
           atomic_exchange(&slot->inlined.ended, iteration_id) != iteration_id;
}

void lh_stall_end_outside(struct lh_slot *slot)
{
    atomic_store_explicit(&slot->marked, 0, memory_order_relaxed);
    if (!lh_stall_is_on() || lh_iteration_now(slot) == 0 || !lh_process_is_ours() ||
        !is_mine_to_end(slot))
        return;
    uint64_t signals = lh_signals_block();
    bool is_long = lh_accounts_age_ns(slot) >= lh_options.threshold_ns;
    uint64_t suspended_ns = is_long && is_own(slot) ? lh_suspends_settle() : 0;
    uint64_t elapsed_ns = lh_accounts_age_ns(slot);
    if (is_sampled(slot))
        lh_sampler_stop(slot);
    if (atomic_load(&slot->allow_depth) != 0)
        lh_stall_allowed(slot);
    if (lh_accounts_iteration(slot) == lh_iteration_now(slot))
        elapsed_ns = since(elapsed_ns, slot->accounts.reported_ns);
    if (elapsed_ns >= lh_options.threshold_ns)
        report(slot, elapsed_ns, suspended_ns);
    lh_signals_restore(signals);
}

void lh_stall_end(struct lh_slot *slot)
{
    int saved_errno = errno;
    lh_stall_end_outside(slot);
    errno = saved_errno;
}

void lh_stall_abandon(struct lh_slot *slot)
{
    if (lh_progress_id(slot, lh_iteration_now(slot)) != 0)
        lh_stall_end(slot);
}
