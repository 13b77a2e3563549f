/* From a call to a record in the ring: the parts that the program's threads (call.c) and the
 * watchdog share. Any thread; raw system calls, no malloc, no locks, little stack. */
#ifndef LH_PRELOAD_REPORT_H
#define LH_PRELOAD_REPORT_H

#include "preload/state.h"

/* A call on a loop thread as it stands in its slot, copied out. */
struct lh_call_copy {
    uint64_t seq;
    uint64_t start;
    uint64_t subject;
    uint32_t call;
    uint32_t tid;
    uint64_t python_thread;
    struct lh_registers registers;
};

/* Copies the call out of its slot. For another thread's slot: false when it changed meanwhile, or
 * when none is in flight. */
bool lh_call_copy_consistent(struct lh_slot *slot, struct lh_call_copy *copy);
void lh_call_copy_own(struct lh_slot *slot, struct lh_call_copy *copy);

/* Would a report of this call be wanted: not allowed by the program, not switched off by
 * LOOPHOUND_CALLS, not CPython waiting for its own lock? `group` is set to the group it counts to.
 */
bool lh_call_is_wanted(const struct lh_slot *slot, const struct lh_call_copy *copy,
                       const struct lh_resource *resource, uint32_t *group);

/* Fills in a record but for its id and reason: who, what, on what, registers, stack, Python frames.
 */
void lh_record_fill(struct lh_record *record, enum lh_event type, const struct lh_call_copy *copy,
                    uint64_t elapsed_ns, bool own);

/* A record that was filled elsewhere goes into the ring, or is counted as dropped. */
void lh_record_publish(struct lh_ring *ring, const struct lh_record *filled);

/* One report less for this loop thread under LOOPHOUND_RATE; false: over the rate, and counted. */
bool lh_rate_take(struct lh_slot *slot);

/* After a commit: wakes whoever reads the ring, or asks the watchdog for a collector. */
void lh_ring_wake(struct lh_ring *ring);

#endif
