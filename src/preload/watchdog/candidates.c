/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads may have what a loop thread waits for. See candidates.h.
 *
 * A Lock of Python's has no owner. A coroutine of the same loop that is suspended within its `with`
 * statement has it for certain, for the thread waits. Of threads, whoever is within its `with`
 * statement most likely has it, and whoever has it in a variable may; of the others nothing is
 * known but where they are. The frames of threads that run are read while they do: what does not
 * hold together is left out. */
#include "preload/watchdog/candidates.h"

#include <string.h>

#include "common/call_ids.h"
#include "preload/python/interpreter.h"
#include "preload/python/threads.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/watchdog/cycle.h"

#define FRAMES_MAX 32u /* of each: the user's own is among the innermost */

struct others {
    uint32_t count;
    struct lh_python_thread threads[LH_PYTHON_THREADS_MAX];
    enum lh_python_hold holds[LH_PYTHON_THREADS_MAX];
};

static bool is_for_ever(uint32_t call)
{
    return call == LH_CALL_sem_wait || call == LH_CALL_pthread_cond_wait;
}

static void find_others(struct others *others, const struct lh_call_copy *copy, uintptr_t object)
{
    uint32_t count = lh_python_threads(copy->python_thread, others->threads, LH_PYTHON_THREADS_MAX);
    others->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct lh_python_thread thread = others->threads[i];
        if (thread.tid == copy->tid)
            continue;
        others->threads[others->count] = thread;
        others->holds[others->count++] =
            lh_python_thread_holds(lh_memory_read_self, thread.state, object);
    }
}

static void add(struct lh_record *record, const struct lh_call_copy *copy,
                const struct lh_python_thread *thread, enum lh_python_hold hold)
{
    struct lh_awaited *awaited = &record->awaited;
    struct lh_candidate *candidate = &awaited->candidates[awaited->candidate_count];
    uint32_t before = record->python_count;
    memset(candidate, 0, sizeof(*candidate));
    struct lh_view view = lh_view_of_process();
    lh_python_capture(&view, thread->state, FRAMES_MAX, record);
    lh_view_close(&view);
    candidate->python_count = record->python_count - before;
    candidate->tid = thread->tid;
    candidate->within = hold == LH_PYTHON_HOLDS_WITH;
    candidate->names = hold == LH_PYTHON_HOLDS_NAME;
    candidate->deadlock =
        candidate->within &&
        lh_waits_for((struct lh_waiting_thread){thread->tid, thread->state}, copy->tid);
    lh_proc_thread_name(thread->tid, candidate->thread);
    lh_record_name_python(record, thread->tid, thread->state, candidate->thread);
    awaited->candidate_count++;
}

static void add_others(struct lh_record *record, const struct lh_call_copy *copy, uintptr_t object)
{
    struct others others;
    find_others(&others, copy, object);
    for (int hold = LH_PYTHON_HOLDS_WITH; hold >= LH_PYTHON_HOLDS_NOTHING; hold--)
        for (uint32_t i = 0; i < others.count; i++)
            if (others.holds[i] == (enum lh_python_hold)hold &&
                record->awaited.candidate_count < LH_CANDIDATES)
                add(record, copy, &others.threads[i], others.holds[i]);
}

void lh_candidates_report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t id,
                          const struct lh_python_awaited *awaited)
{
    const struct lh_call_copy no_stack = {.tid = copy->tid};
    struct lh_record *record = &lh_process->in_flight;
    lh_record_begin_apart(record, LH_EVENT_AWAITED, &no_stack, 0, false);
    record->id = id;
    record->waiter_tid = copy->tid;
    record->awaited.kind = (uint8_t)awaited->kind;
    record->awaited.address = awaited->object;
    record->awaited.is_own = awaited->is_own;
    record->awaited.for_ever = is_for_ever(copy->call);
    record->awaited.has_coroutine = lh_python_store_text(lh_memory_read_self, awaited->coroutine,
                                                         record, &record->awaited.coroutine);
    bool is_open = awaited->owner_tid == 0 && !awaited->is_own && lh_options.stack_frames > 0;
    if (is_open && awaited->kind == LH_AWAITED_LOCK &&
        lh_python_store_suspended(lh_memory_read_self, copy->python_thread, awaited->object,
                                  record))
        record->awaited.is_suspended = record->awaited.is_own = true;
    else if (is_open)
        add_others(record, copy, awaited->object);
    if (lh_call_is_in_flight(slot, copy))
        lh_record_publish_apart(record);
}
