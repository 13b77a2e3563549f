/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a call on a loop thread that may have to be reported.
 *
 * Runs on the program's threads, also in signal handlers and in children of fork and vfork: keeps
 * errno, makes raw system calls only, no malloc, no locks, little stack. */
#include <errno.h>
#include <string.h>

#include "common/call_ids.h"
#include "common/told.h"
#include "preload/iteration/ready.h"
#include "preload/iteration/stall.h"
#include "preload/loop/loop.h"
#include "preload/python/interpreter.h"
#include "preload/state/home.h"
#include "preload/state/in_loop.h"
#include "preload/state/places.h"
#include "preload/state/record.h"
#include "preload/state/resource.h"
#include "preload/state/suspends.h"
#include "preload/strict/noise.h"
#include "preload/strict/rules.h"
#include "preload/sys/clock.h"
#include "preload/sys/memory.h"
#include "preload/sys/signals.h"
#include "preload/wrap/action.h"
#include "preload/wrap/scope.h"

static bool is_watchdog_away(void)
{
    return atomic_load(&lh_process->watchdog_call) != 0 && lh_process_is_ours();
}

/* CPython 3.12 and later read their number of threads from a file after a fork, and warn of any
 * that is not theirs: fopen(3), fread(3), fclose(3), and locks that are free. What can wait is none
 * of these. */
static bool may_start_watchdog(enum lh_group group, enum lh_waits waits)
{
    return (group != LH_GROUP_FILE && group != LH_GROUP_LOCK) || waits == LH_WAITS_YES ||
           waits == LH_WAITS_IF_OPENED;
}

static bool is_allowed(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->allow_depth, memory_order_relaxed) != 0;
}

/* What is allowed is never told, whatever it is, nor what LOOPHOUND_CALLS leaves out in every
 * group. Noise is asked for before the rules: that asks the kernel for nothing, as the rules about
 * paths do. */
enum lh_waits lh_call_ask(uint32_t call)
{
    bool unwanted = lh_options.calls[call] == 0;
    if (lh_options.strict == 0 || unwanted || is_allowed(lh_self.slot)) {
        if (is_watchdog_away())
            return LH_WAITS_ASK;
        return lh_options.strict != 0 && unwanted ? LH_WAITS_UNWANTED : LH_WAITS_NO;
    }
    lh_self.noise_off = LH_NOISE_NONE;
    enum lh_noise noise = lh_noise_look_ahead(lh_self.slot, call);
    return noise != LH_NOISE_NONE ? (enum lh_waits)(LH_WAITS_NOISE + noise) : LH_WAITS_ASK;
}

enum lh_waits lh_call_prepare(uint32_t call, enum lh_waits waits)
{
    if (is_watchdog_away() && may_start_watchdog(lh_call_info(call)->group, waits))
        lh_watchdog_call();
    return lh_options.strict != 0 ? waits : LH_WAITS_NO;
}

/* The count is over with its last call; what comes next may be a computation. */
static void start_watchdog_after_count(uint32_t call)
{
    if (call == LH_CALL_fclose && is_watchdog_away())
        lh_watchdog_call();
}

/* The parts of a record that decide whether it is one, before any of the ring is taken. */
struct verdict {
    const struct lh_scope *scope;
    uint32_t call;
    uint64_t elapsed_ns;
    int error;
    enum lh_reason reason;
    uint32_t group;
    uint64_t place;      /* of strict mode: lh_noise_look() … */
    enum lh_noise noise; /* … and the class that it is told in spite of, or that is off */
};

static void count_block(struct lh_totals *totals, uint32_t call, uint64_t elapsed_ns)
{
    atomic_fetch_add_explicit(&lh_self.reports, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->blocks, 1, memory_order_release);
    atomic_fetch_add_explicit(&totals->blocked_ns, elapsed_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->by_call[call].count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->by_call[call].total_ns, elapsed_ns, memory_order_relaxed);
}

/* The id under which the watchdog has reported this call in flight, or 0. */
static uint64_t id_of_inflight(const struct lh_slot *slot, uint64_t seq)
{
    return atomic_load_explicit(&slot->reported_seq, memory_order_acquire) == seq
               ? slot->reported_id
               : 0;
}

/* The id of its report. 0: there is to be none. */
static uint64_t id_of_report(struct lh_ring *ring, const struct verdict *verdict,
                             const struct lh_call_copy *copy)
{
    struct lh_slot *slot = verdict->scope->slot;
    uint64_t id = id_of_inflight(slot, verdict->scope->seq);
    if (id != 0)
        return id;
    if (verdict->reason == LH_REASON_STRICT && lh_options_tell_once(&lh_options))
        return lh_place_take(verdict->place, copy->call, verdict->elapsed_ns);
    if (lh_rate_take(slot, verdict->reason == LH_REASON_STRICT ? LH_RATE_SHORT : LH_RATE_LONG))
        return lh_report_id();
    atomic_fetch_add(&ring->totals.dropped, 1);
    return 0;
}

static void write_block(struct lh_ring *ring, const struct verdict *verdict,
                        const struct lh_call_copy *copy, const struct lh_resource *resource)
{
    struct lh_slot *slot = verdict->scope->slot;
    uint64_t id = id_of_report(ring, verdict, copy);
    if (id == 0)
        return;
    struct lh_record *record = lh_record_begin(LH_EVENT_BLOCK, copy, verdict->elapsed_ns, true);
    if (record == NULL) {
        lh_told_end(ring, id); /* nothing else says that it has ended */
        return;
    }
    record->id = id;
    record->reason = verdict->reason;
    record->error = verdict->error;
    record->group = verdict->group;
    record->noise = verdict->noise;
    record->skipped = atomic_exchange(&slot->skipped, 0);
    record->resource = *resource;
    record->awaits_victims = verdict->reason == LH_REASON_THRESHOLD && lh_ready_await(slot);
    if (record->awaits_victims) /* the next park looks closer at a marked iteration */
        atomic_store_explicit(&slot->marked, LH_MARKED_ALL, memory_order_relaxed);
    lh_record_publish(record);
}

/* What the watchdog has told was asleep, whatever it was asked to do. */
static bool may_have_waited(enum lh_waits waits, const struct verdict *verdict)
{
    return waits != LH_WAITS_NEVER ||
           id_of_inflight(verdict->scope->slot, verdict->scope->seq) != 0;
}

static bool is_over(enum lh_waits waits, long result, struct verdict *verdict)
{
    verdict->reason = LH_REASON_THRESHOLD;
    if (verdict->elapsed_ns >= lh_options.threshold_ns)
        return may_have_waited(waits, verdict);
    verdict->reason = LH_REASON_STRICT;
    switch (waits) {
    case LH_WAITS_IF_OPENED:
        return result >= 0 && lh_opened_could_wait((int)result);
    case LH_WAITS_IF_STREAM:
        return result != 0 && lh_opened_could_wait(lh_stream_fd((uintptr_t)result));
    default:
        return waits == LH_WAITS_YES;
    }
}

/* False: it is no block after all. */
static bool report(struct lh_slot *slot, struct verdict *verdict, const struct lh_view *view)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_call_copy copy;
    struct lh_resource resource;
    if (ring == NULL)
        return true;
    lh_call_copy_own(slot, &copy);
    copy.view = view;
    lh_resource_fill(&resource, lh_call_info(copy.call)->operand, copy.operand, copy.start, true);
    lh_resource_add_noted(&resource, slot, copy.seq);
    if (verdict->reason == LH_REASON_THRESHOLD && lh_resource_is_no_time(&resource))
        return false;
    if (lh_call_is_wanted(slot, &copy, &resource, &verdict->group)) {
        /* In this order: who has seen the number can flush, and has the report. */
        write_block(ring, verdict, &copy, &resource);
        count_block(&ring->totals, copy.call, verdict->elapsed_ns);
    }
    return true;
}

/* Signal handlers may come at any time, and make calls of their own. From here on those are part of
 * this call. One that came before, or that runs on another stack, has taken the slot over: then all
 * but the registers, and with them the native frames, can be put back. */
static void claim(const struct lh_scope *scope, uint32_t call)
{
    struct lh_slot *slot = scope->slot;
    atomic_store_explicit(&slot->sp, (uintptr_t)scope, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t seq = atomic_load_explicit(&slot->seq, memory_order_relaxed);
    if (seq == scope->seq)
        return;
    atomic_store_explicit(&slot->seq, seq + 1, memory_order_release);
    lh_slot_fields_follow();
    slot->call = call;
    slot->operand = scope->operand;
    slot->start = scope->start;
    slot->registers = (struct lh_registers){0};
}

/* Without strict mode only a wait for the GIL is; that is a part of its stall. */
static struct lh_noise_look look_at(const struct lh_slot *slot, const struct verdict *verdict)
{
    struct lh_noise_look look = {.noise = LH_NOISE_NONE};
    if (lh_call_info(verdict->call)->operand == LH_OPERAND_CONDITION &&
        lh_python_is_runtime_lock(verdict->scope->operand))
        look.noise = LH_NOISE_GIL;
    else if (lh_options.strict != 0 && id_of_inflight(slot, verdict->scope->seq) == 0)
        look = lh_noise_look(slot, verdict->error);
    if (verdict->reason != LH_REASON_THRESHOLD)
        return look;
    if (lh_noise_is_brief(look.noise))
        look.noise = LH_NOISE_NONE;
    if (lh_noise_is_brief(look.off))
        look.off = LH_NOISE_NONE;
    return look;
}

static bool is_noise(const struct lh_slot *slot, struct verdict *verdict)
{
    const struct lh_noise_look look = look_at(slot, verdict);
    verdict->place = look.place;
    verdict->noise = look.noise != LH_NOISE_NONE ? look.noise : look.off;
    if (look.noise == LH_NOISE_NONE || look.asked)
        return false;
    lh_noise_count(look.noise);
    return true;
}

/* Tells it, or finds that it is not to be told: then its time is none of the stall's. That is noted
 * before a signal or the watchdog can ask how much of the iteration is not told yet. False: it is
 * no block. */
static bool decide(struct lh_slot *slot, struct verdict *verdict, const struct lh_view *view)
{
    enum lh_noise outside = lh_in_loop_why_not(slot, view);
    if (outside != LH_NOISE_NONE) {
        if (!lh_in_loop_is_doubtful(slot)) {
            lh_noise_count(outside);
            lh_stall_add_reported(slot, verdict->elapsed_ns);
            return true;
        }
        /* It may be a part of a stall. What was told in flight, before there was a doubt, ends as
         * what it was told to be. */
        if (id_of_inflight(slot, verdict->scope->seq) == 0)
            return false;
    }
    claim(verdict->scope, verdict->call);
    bool told = report(slot, verdict, view);
    if (told)
        lh_stall_add_reported(slot, verdict->elapsed_ns);
    /* A cancellation that comes now leaves a call that has been told: nonlocal_exit.c. */
    atomic_store_explicit(&slot->sp, 0, memory_order_release);
    return told;
}

/* One view for all that is asked of Python's frames. With signals blocked: a handler that does not
 * return would keep its store. */
static bool look(struct lh_slot *slot, struct verdict *verdict)
{
    struct lh_view view = {.read = lh_memory_read_self};
    uint64_t signals = lh_signals_block();
    if (slot->python_thread != 0)
        view = lh_view_of_own();
    bool told = decide(slot, verdict, &view);
    lh_view_close(&view);
    lh_signals_restore(signals);
    return told;
}

/* Without the time in which the process was held, which the watchdog may have to note first. */
static uint64_t elapsed_without_suspends(uint64_t start, uint64_t elapsed_tsc)
{
    uint64_t elapsed_ns = lh_counter_to_ns(elapsed_tsc);
    if (elapsed_ns >= lh_options.threshold_ns)
        lh_suspends_settle();
    return elapsed_ns - lh_suspends_within(start, elapsed_ns);
}

static void finish(struct verdict verdict, enum lh_waits waits, long result, uint64_t elapsed_tsc)
{
    struct lh_slot *slot = verdict.scope->slot;
    verdict.elapsed_ns = elapsed_without_suspends(verdict.scope->start, elapsed_tsc);
    lh_slot_note_python(slot);
    if (!lh_process_is_ours())
        return;
    if (!is_over(waits, result, &verdict) || is_noise(slot, &verdict) || !look(slot, &verdict))
        lh_stall_add_call(slot, elapsed_tsc);
}

static uint64_t elapsed_of(const struct lh_scope *scope)
{
    return scope->end > scope->start ? scope->end - scope->start : 0;
}

bool lh_call_end(struct lh_scope *scope)
{
    scope->end = lh_counter();
    return elapsed_of(scope) >= atomic_load_explicit(&lh_threshold_tsc, memory_order_relaxed);
}

/* Nothing is to be decided. What the watchdog has told ends as what it was told to be. */
static bool is_quiet(const struct lh_scope *scope, enum lh_waits waits, uint64_t elapsed_tsc)
{
    if (waits <= LH_WAITS_NEVER)
        return elapsed_tsc < atomic_load_explicit(&lh_threshold_tsc, memory_order_relaxed);
    if (waits < LH_WAITS_NOISE || id_of_inflight(scope->slot, scope->seq) != 0)
        return false;
    lh_noise_count((enum lh_noise)(waits - LH_WAITS_NOISE));
    return true;
}

void lh_call_finish(const struct lh_scope *scope, uint32_t call, enum lh_waits waits, long result,
                    int error)
{
    struct lh_slot *slot = scope->slot;
    uint64_t elapsed_tsc = elapsed_of(scope);
    claim(scope, call);
    if (is_quiet(scope, waits, elapsed_tsc)) {
        lh_stall_add_call(slot, elapsed_tsc);
        if (LH_UNLIKELY(lh_home_is_due(slot)))
            lh_home_look(slot);
    } else {
        int saved_errno = errno;
        uint64_t reports = atomic_load_explicit(&lh_self.reports, memory_order_relaxed);
        struct verdict verdict = {.scope = scope,
                                  .call = call,
                                  .error = error == LH_ERROR_IN_ERRNO ? saved_errno : error};
        finish(verdict, waits, result, elapsed_tsc);
        if (lh_action_is_due(reports))
            lh_action_take();
        errno = saved_errno;
    }
    atomic_store_explicit(&slot->sp, 0, memory_order_release);
    start_watchdog_after_count(call);
}
