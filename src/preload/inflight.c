/* Calls that have not returned. Runs on the watchdog: raw system calls, no libc state, no malloc.
 */
#include "preload/inflight.h"

#include <stddef.h>
#include <string.h>

#include "preload/clock.h"
#include "preload/holder.h"
#include "preload/proc.h"
#include "preload/report.h"
#include "preload/stops.h"
#include "preload/subject.h"

/* A thread in a wrapped call is below its wrapper by less than this (getaddrinfo's frames are big).
 */
#define CALL_STACK_BYTES (1024 * 1024)

static bool still_in_flight(struct lh_slot *slot, const struct lh_call_copy *copy)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load(&slot->seq) == copy->seq && atomic_load(&slot->sp) != 0;
}

/* The id of this call's reports; 0: left out by LOOPHOUND_RATE. Published before the capture, so
 * that the call's end, which may come at any time, finds it. */
static uint64_t take_id(struct lh_slot *slot, uint64_t seq)
{
    if (atomic_load(&slot->reported_seq) == seq)
        return slot->reported_id;
    if (!lh_rate_take(slot)) {
        atomic_fetch_sub(&slot->skipped, 1); /* counted when the call ends */
        return 0;
    }
    slot->reported_id = atomic_fetch_add(&lh_process->next_id, 1) + 1;
    atomic_store_explicit(&slot->reported_seq, seq, memory_order_release);
    return slot->reported_id;
}

static void report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t elapsed_ns)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (ring == NULL)
        return;
    lh_resource_fill(&lh_process->in_flight.resource, lh_call_info(copy->call)->subject,
                     copy->subject, copy->start, false);
    if (!lh_call_is_wanted(slot, copy, &lh_process->in_flight.resource,
                           &lh_process->in_flight.group))
        return;
    lh_process->in_flight.id = take_id(slot, copy->seq);
    if (lh_process->in_flight.id == 0)
        return;
    lh_holder_report(slot, copy, lh_process->in_flight.id);
    lh_record_fill(&lh_process->in_flight, LH_EVENT_INFLIGHT, copy, elapsed_ns, false);
    if (still_in_flight(slot, copy))
        lh_record_publish(ring, &lh_process->in_flight);
}

/* Not over the mark of a whole iteration, which its owner may be clearing just now. */
static void mark(struct lh_slot *slot, uint64_t seq)
{
    uint64_t marked = atomic_load(&slot->marked);
    if (marked != LH_MARKED_ALL)
        atomic_compare_exchange_strong(&slot->marked, &marked, seq);
}

void lh_inflight_look(struct lh_slot *slot)
{
    struct lh_call_copy copy;
    if (!lh_call_copy_consistent(slot, &copy))
        return;
    mark(slot, copy.seq);
    if (slot->next_report_seq != copy.seq) {
        slot->next_report_seq = copy.seq;
        slot->next_report_ns = lh_options.threshold_ns > 0 ? lh_options.threshold_ns : 1;
    }
    uint64_t now = lh_counter();
    uint64_t elapsed_ns = now > copy.start ? lh_counter_to_ns(now - copy.start) : 0;
    elapsed_ns -= lh_stops_within(copy.start, elapsed_ns);
    if (elapsed_ns < slot->next_report_ns ||
        !lh_proc_thread_waits(copy.tid, copy.registers.rsp, CALL_STACK_BYTES))
        return;
    report(slot, &copy, elapsed_ns);
    while (slot->next_report_ns <= elapsed_ns)
        slot->next_report_ns = slot->next_report_ns * 2;
}
