/* SPDX-License-Identifier: Apache-2.0 */
/* Records: what is told the collector, from the call in a slot to a place in the ring. One pair of
 * functions begins and publishes each. Any thread; raw system calls, no malloc, no locks, little
 * stack. */
#ifndef LH_PRELOAD_STATE_RECORD_H
#define LH_PRELOAD_STATE_RECORD_H

#include "preload/state/state.h"

/* A call on a loop thread as it stands in its slot, copied out. */
struct lh_call_copy {
    uint64_t seq;
    uintptr_t sp; /* the slot's, of another thread's call */
    uint64_t start;
    uint64_t operand;
    uint32_t call;
    uint32_t tid;
    uint64_t python_thread;
    uint64_t isolate; /* of V8 */
    struct lh_registers registers;
    bool interrupted;           /* the registers are of where a signal came, not of our wrapper */
    const struct lh_view *view; /* by which its Python frames were looked at; NULL: by none */
};

/* Copies the call out of its slot. For another thread's slot: false when it changed meanwhile, or
 * when none is in flight. */
bool lh_call_copy_consistent(struct lh_slot *slot, struct lh_call_copy *copy);
void lh_call_copy_own(struct lh_slot *slot, struct lh_call_copy *copy);

/* Is the call that was copied still in flight, so that what was read meanwhile stood still? */
bool lh_call_is_in_flight(struct lh_slot *slot, const struct lh_call_copy *copy);

/* Is it a wait for CPython's GIL? */
bool lh_call_is_for_gil(const struct lh_call_copy *copy);

/* Would a report of this call be wanted: not allowed by the program, not switched off by
 * LOOPHOUND_CALLS, not CPython waiting for its own lock? `group` is set to the group it counts to.
 */
bool lh_call_is_wanted(const struct lh_slot *slot, const struct lh_call_copy *copy,
                       const struct lh_resource *resource, uint32_t *group);

/* Begins a record in a free place of the ring: who, what, when, registers, stack, Python frames;
 * all else as it is where nobody knows better. Whoever wants to say more sets it before
 * lh_record_publish(). `own`: it is about the calling thread, which in strict mode waits where
 * there is no room. NULL: there is no ring, or no room in it, which is counted as dropped where
 * somebody would miss it. */
struct lh_record *lh_record_begin(enum lh_event type, const struct lh_call_copy *copy,
                                  uint64_t elapsed_ns, bool own);

/* The same in memory of the caller's, for what is only wanted if nothing changed meanwhile. */
void lh_record_begin_apart(struct lh_record *record, enum lh_event type,
                           const struct lh_call_copy *copy, uint64_t elapsed_ns, bool own);

/* What Python's threading calls the thread, into `name`, where it has a name for it; its main
 * thread has the same one in every program. The record's strings serve on the way. */
void lh_record_name_python(struct lh_record *record, uint32_t tid, uintptr_t python_thread,
                           char name[LH_THREAD_NAME]);

/* Hands it to the reader, and wakes that where this type of record is awaited. */
void lh_record_publish(struct lh_record *record);
void lh_record_publish_apart(const struct lh_record *record);

/* One report of this kind less for this loop thread under LOOPHOUND_RATE; false: over the rate, and
 * counted. In strict mode there is no rate, unless it tells each call. */
bool lh_rate_take(struct lh_slot *slot, enum lh_rate_kind kind);

#endif
