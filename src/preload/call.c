/* The end of a call on a loop thread that may have to be reported.
 *
 * Runs on the program's threads, also in signal handlers and in children of fork and vfork: keeps
 * errno, makes raw system calls only, no malloc, no locks, little stack. */
#include <errno.h>
#include <string.h>

#include "preload/clock.h"
#include "preload/loop.h"
#include "preload/python.h"
#include "preload/report.h"
#include "preload/scope.h"
#include "preload/signals.h"
#include "preload/stall.h"
#include "preload/stops.h"
#include "preload/strict.h"
#include "preload/subject.h"
#include "preload/victims.h"

/* Files and locks are left out: CPython 3.12 and later take locks and read their number of threads
 * from a file after a fork, and warn of any thread that is not theirs. */
static bool may_start_watchdog(enum lh_group group)
{
    return group != LH_GROUP_FILE && group != LH_GROUP_LOCK;
}

bool lh_call_prepare(enum lh_call call)
{
    if (atomic_load(&lh_process->watchdog_call) != 0 &&
        may_start_watchdog(lh_call_info(call)->group) && lh_process_is_ours())
        lh_watchdog_call();
    return lh_options.strict != 0;
}

/* The parts of a record that decide whether it is one, before any of the ring is taken. */
struct verdict {
    const struct lh_scope *scope;
    enum lh_call call;
    uint64_t elapsed_ns;
    int error;
    enum lh_reason reason;
    uint32_t group;
};

static void count_block(struct lh_totals *totals, uint32_t call, uint64_t elapsed_ns)
{
    atomic_fetch_add_explicit(&totals->blocks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->blocked_ns, elapsed_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->by_call[call].count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->by_call[call].total_ns, elapsed_ns, memory_order_relaxed);
}

/* The id under which the watchdog has reported this call in flight, or 0. */
static uint64_t id_of_inflight(struct lh_slot *slot, uint64_t seq)
{
    return atomic_load_explicit(&slot->reported_seq, memory_order_acquire) == seq
               ? slot->reported_id
               : 0;
}

static void write_block(struct lh_ring *ring, const struct verdict *verdict,
                        const struct lh_call_copy *copy, const struct lh_resource *resource)
{
    struct lh_slot *slot = verdict->scope->slot;
    uint64_t id = id_of_inflight(slot, verdict->scope->seq);
    if (id == 0 && !lh_rate_take(slot)) {
        atomic_fetch_add(&ring->totals.dropped, 1);
        return;
    }
    struct lh_record *record = lh_ring_reserve(ring);
    if (record == NULL) {
        atomic_fetch_add(&ring->totals.dropped, 1);
        return;
    }
    lh_record_fill(record, LH_EVENT_BLOCK, copy, verdict->elapsed_ns, true);
    record->id = id != 0 ? id : atomic_fetch_add(&lh_process->next_id, 1) + 1;
    record->reason = verdict->reason;
    record->error = verdict->error;
    record->group = verdict->group;
    record->skipped = atomic_exchange(&slot->skipped, 0);
    record->resource = *resource;
    record->awaits_victims = verdict->reason == LH_REASON_THRESHOLD && lh_victims_await(slot);
    if (record->awaits_victims) /* the next park looks closer at a marked iteration */
        atomic_store_explicit(&slot->marked, LH_MARKED_ALL, memory_order_relaxed);
    lh_ring_commit(ring, record);
    lh_ring_wake(ring);
}

static bool is_over(enum lh_waits waits, long result, struct verdict *verdict)
{
    verdict->reason = LH_REASON_THRESHOLD;
    if (verdict->elapsed_ns >= lh_options.threshold_ns)
        return true;
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

static void report(struct lh_slot *slot, struct verdict *verdict)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_call_copy copy;
    struct lh_resource resource;
    if (ring == NULL)
        return;
    lh_call_copy_own(slot, &copy);
    lh_resource_fill(&resource, lh_call_info(copy.call)->subject, copy.subject, copy.start, true);
    if (lh_call_is_wanted(slot, &copy, &resource, &verdict->group)) {
        count_block(&ring->totals, copy.call, verdict->elapsed_ns);
        write_block(ring, verdict, &copy, &resource);
    }
}

/* Signal handlers may come at any time, and make calls of their own. From here on those are part of
 * this call. One that came before, or that runs on another stack, has taken the slot over: then all
 * but the registers, and with them the native frames, can be put back. */
static void claim(const struct lh_scope *scope, enum lh_call call)
{
    struct lh_slot *slot = scope->slot;
    atomic_store_explicit(&slot->sp, (uintptr_t)scope, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t seq = atomic_load_explicit(&slot->seq, memory_order_relaxed);
    if (seq == scope->seq)
        return;
    atomic_store_explicit(&slot->seq, seq + 1, memory_order_release);
    slot->call = call;
    slot->subject = scope->subject;
    slot->start = scope->start;
    slot->registers = (struct lh_registers){0};
}

/* True: told, or not to be told; its time is none of the stall's. */
static bool decide(struct lh_slot *slot, enum lh_waits waits, long result, struct verdict *verdict)
{
    bool gil = lh_call_info(verdict->call)->subject == LH_SUBJECT_LOCK &&
               lh_python_is_runtime_lock(verdict->scope->subject);
    if (gil || !is_over(waits, result, verdict))
        return false;
    uint64_t signals = lh_signals_block();
    claim(verdict->scope, verdict->call);
    report(slot, verdict);
    /* A cancellation that comes now leaves a call that has been told: leaving.c. */
    atomic_store_explicit(&slot->sp, 0, memory_order_release);
    lh_signals_restore(signals);
    return true;
}

static void finish(struct verdict verdict, enum lh_waits waits, long result, uint64_t counted)
{
    struct lh_slot *slot = verdict.scope->slot;
    verdict.elapsed_ns = lh_counter_to_ns(counted);
    verdict.elapsed_ns -= lh_stops_within(verdict.scope->start, verdict.elapsed_ns);
    lh_loop_note_python(slot);
    if (!lh_process_is_ours())
        return;
    if (decide(slot, waits, result, &verdict))
        lh_stall_add_told(slot, verdict.elapsed_ns);
    else
        lh_stall_add_call(slot, counted);
}

void lh_call_finish(const struct lh_scope *scope, enum lh_call call, enum lh_waits waits,
                    long result, int error)
{
    struct lh_slot *slot = scope->slot;
    uint64_t now = lh_counter();
    uint64_t counted = now > scope->start ? now - scope->start : 0;
    claim(scope, call);
    if (waits == LH_WAITS_NO &&
        counted < atomic_load_explicit(&lh_threshold_counts, memory_order_relaxed)) {
        lh_stall_add_call(slot, counted);
    } else {
        int saved_errno = errno;
        struct verdict verdict = {.scope = scope, .call = call, .error = error};
        finish(verdict, waits, result, counted);
        errno = saved_errno;
    }
    atomic_store_explicit(&slot->sp, 0, memory_order_release);
}
