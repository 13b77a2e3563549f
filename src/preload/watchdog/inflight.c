/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that have not returned. Runs on the watchdog: raw system calls, no libc state, no malloc.
 */
#include "preload/watchdog/inflight.h"

#include <stddef.h>
#include <string.h>

#include "common/call_ids.h"
#include "common/told.h"
#include "preload/state/in_loop.h"
#include "preload/state/record.h"
#include "preload/state/resource.h"
#include "preload/state/suspends.h"
#include "preload/strict/noise.h"
#include "preload/sys/clock.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/watchdog/holder.h"
#include "preload/watchdog/inline_find.h"
#include "preload/watchdog/noted_tick.h"

/* A thread in a wrapped call is below its wrapper by less than this (getaddrinfo's frames are big).
 */
#define CALL_STACK_BYTES (1024 * 1024)

/* The id of this call's reports; 0: left out by LOOPHOUND_RATE. Published before the capture, so
 * that the call's end, which may come at any time, finds it. */
static uint64_t take_id(struct lh_ring *ring, struct lh_slot *slot, uint64_t seq)
{
    if (atomic_load(&slot->reported_seq) == seq)
        return slot->reported_id;
    if (!lh_rate_take(slot, LH_RATE_LONG)) {
        atomic_fetch_sub(&slot->skipped, 1); /* counted when the call ends */
        return 0;
    }
    lh_told_end(ring, slot->reported_id); /* a thread is in one call at a time */
    slot->reported_id = lh_report_id();
    lh_told_begin(ring, slot->reported_id, LH_TOLD_CALL);
    atomic_store_explicit(&slot->reported_seq, seq, memory_order_release);
    return slot->reported_id;
}

static void report_by(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t elapsed_ns)
{
    struct lh_record *record = &lh_process->in_flight;
    struct lh_resource resource;
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    uint32_t group;
    if (ring == NULL)
        return;
    lh_noted_tick(slot, copy, true);
    lh_resource_fill(&resource, lh_call_info(copy->call)->operand, copy->operand, copy->start,
                     false);
    lh_resource_add_noted(&resource, slot, copy->seq);
    if (copy->call == LH_CALL_futex && atomic_load(&slot->reported_seq) != copy->seq)
        lh_inline_look_now(); /* another thread may have its loop just now */
    if (lh_resource_is_no_time(&resource) || !lh_call_is_wanted(slot, copy, &resource, &group) ||
        lh_in_loop_why_not(slot, copy->view) != LH_NOISE_NONE ||
        (lh_options.strict != 0 && lh_noise_covers(slot)))
        return;
    uint64_t id = take_id(ring, slot, copy->seq);
    if (id == 0)
        return;
    lh_holder_report(slot, copy, id);
    lh_record_begin_apart(record, LH_EVENT_INFLIGHT, copy, elapsed_ns, false);
    record->id = id;
    record->group = group;
    record->resource = resource;
    if (lh_call_is_in_flight(slot, copy))
        lh_record_publish_apart(record);
}

/* One view for where the thread is, and for its stack. */
static void report(struct lh_slot *slot, struct lh_call_copy *copy, uint64_t elapsed_ns)
{
    struct lh_view view = {.read = lh_memory_read_self};
    if (copy->python_thread != 0)
        view = lh_view_of_process();
    copy->view = &view;
    report_by(slot, copy, elapsed_ns);
    copy->view = NULL;
    lh_view_close(&view);
}

/* Not over the mark of a whole iteration, which its owner may be clearing just now. */
static void mark(struct lh_slot *slot, uint64_t seq)
{
    uint64_t marked = atomic_load(&slot->marked);
    if (marked != LH_MARKED_ALL)
        atomic_compare_exchange_strong(&slot->marked, &marked, seq);
}

void lh_inflight_tick(struct lh_slot *slot)
{
    struct lh_call_copy copy;
    if (!lh_call_copy_consistent(slot, &copy))
        return;
    mark(slot, copy.seq);
    lh_noted_tick(slot, &copy, false);
    if (slot->next_report_seq != copy.seq) {
        slot->next_report_seq = copy.seq;
        slot->next_report_ns = lh_options.threshold_ns > 0 ? lh_options.threshold_ns : 1;
    }
    uint64_t now = lh_counter();
    uint64_t elapsed_ns = now > copy.start ? lh_counter_to_ns(now - copy.start) : 0;
    elapsed_ns -= lh_suspends_within(copy.start, elapsed_ns);
    if (elapsed_ns < slot->next_report_ns ||
        !lh_proc_thread_waits(copy.tid, copy.registers.sp, CALL_STACK_BYTES))
        return;
    report(slot, &copy, elapsed_ns);
    while (slot->next_report_ns <= elapsed_ns)
        slot->next_report_ns = slot->next_report_ns * 2;
}
