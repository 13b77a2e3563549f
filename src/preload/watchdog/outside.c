/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations seen from outside. Runs on the watchdog: raw system calls, no libc state, no malloc.
 *
 * A thread that waits stands still: what /proc says of it before and after is the same, and so was
 * its stack. That is for system calls that were not made through libc's functions, libc's own
 * locks, page faults. One that waits for the GIL is in a call of ours, which says where. Of one
 * that runs nobody but a signal knows the registers; its Python frames can be read, twice, and so
 * can those of JavaScript where that has called what V8 has in C++. */
#include "preload/watchdog/outside.h"

#include <string.h>

#include "preload/iteration/progress.h"
#include "preload/iteration/sampler.h"
#include "preload/python/interpreter.h"
#include "preload/state/record.h"
#include "preload/state/version.h"
#include "preload/state/waited_in.h"
#include "preload/sys/proc.h"
#include "preload/watchdog/holder.h"
#include "preload/watchdog/js_twice.h"
#include "preload/watchdog/python_twice.h"

#define TRIES 3 /* to read the frames of a thread that goes on */

/* proc_pid_stat(5): asleep, or waiting for a disk. A thread that is held by a debugger or by
 * SIGSTOP is not. */
static bool is_asleep(uint32_t tid)
{
    char state = lh_proc_state(tid);
    return state == 'S' || state == 'D';
}

static bool has_no_call(const struct lh_slot *slot, uint64_t iteration_id)
{
    return atomic_load(&slot->sp) == 0 && atomic_load(&slot->parked) == 0 &&
           atomic_load(&slot->iteration_id) == iteration_id;
}

static void note_waited_in(struct lh_waited_in *waited_in, uint64_t iteration_id,
                           const struct lh_thread_wait *wait)
{
    lh_version_begin(&waited_in->version);
    waited_in->iteration_id = iteration_id;
    waited_in->number = (int32_t)wait->number;
    waited_in->first = wait->first;
    lh_version_end(&waited_in->version);
}

/* The same wait before and after, and none of a wrapper or of the park: what was copied between
 * stood still. */
static bool fill_waiting(struct lh_slot *slot, uint64_t iteration_id, struct lh_record *record)
{
    uint32_t tid = atomic_load(&slot->tid);
    struct lh_thread_wait before;
    struct lh_thread_wait after;
    struct lh_call_copy copy = {
        .tid = tid, .python_thread = slot->python_thread, .isolate = slot->isolate};
    if (!is_asleep(tid) || !lh_proc_thread_wait(tid, &before))
        return false;
    copy.registers.sp = before.sp;
    copy.registers.pc = before.pc;
    lh_record_begin_apart(record, LH_EVENT_SAMPLE, &copy, 0, false);
    record->running = 1;
    record->system_call = (int32_t)before.number;
    lh_waited_in_fill(&record->resource, before.number, before.first, false);
    note_waited_in(&slot->waited_in, iteration_id, &before);
    return lh_proc_thread_wait(tid, &after) && after.number == before.number &&
           after.sp == before.sp && after.pc == before.pc && has_no_call(slot, iteration_id);
}

/* A record without a stack where not even Python's or JavaScript's frames are to be had. */
static bool fill_running(const struct lh_slot *slot, uint64_t iteration_id,
                         struct lh_record *record)
{
    struct lh_call_copy copy = {.tid = atomic_load(&slot->tid),
                                .python_thread = slot->python_thread,
                                .isolate = slot->isolate};
    for (int i = 0; i < TRIES && has_no_call(slot, iteration_id); i++) {
        lh_record_begin_apart(record, LH_EVENT_SAMPLE, &copy, 0, false);
        record->running = 1;
        if ((copy.python_thread == 0 || lh_python_confirm(copy.python_thread, record)) &&
            (copy.isolate == 0 || lh_js_confirm(copy.isolate, record)))
            break;
    }
    return has_no_call(slot, iteration_id);
}

static void publish_sample(struct lh_slot *slot, uint64_t iteration_id, uint64_t stands_for_ns)
{
    struct lh_record *record = &lh_process->waiting;
    record->stall.iteration_id = iteration_id;
    record->elapsed_ns = stands_for_ns;
    if (record->stack_length == 0 && record->python_count == 0 && record->js_count == 0)
        return;
    atomic_store(&slot->seen_iteration, iteration_id);
    lh_record_publish_apart(record);
}

static bool gets_no_signal(const struct lh_slot *slot, uint64_t iteration_id)
{
    enum lh_no_stack why = lh_sampler_no_signal(slot, iteration_id);
    return why != LH_STACK_KNOWN && why != LH_NO_STACK_LATE;
}

static void publish_progress(struct lh_slot *slot, uint64_t iteration_id)
{
    struct lh_record *record = &lh_process->waiting;
    struct lh_progress progress = {.elapsed_ns = lh_progress_elapsed_ns(slot, iteration_id)};
    if (!lh_progress_should_report(slot, iteration_id, &progress))
        return;
    record->type = LH_EVENT_STALLING;
    lh_record_name_python(record, record->tid, slot->python_thread, record->thread);
    record->stall.iteration_id = iteration_id;
    record->id = progress.id;
    record->elapsed_ns = progress.elapsed_ns;
    record->span_ns = lh_progress_age_ns(slot);
    if (record->stack_length == 0 && record->python_count == 0 && record->js_count == 0 &&
        lh_options.stack_frames > 0 && record->no_stack == LH_STACK_KNOWN)
        record->no_stack = gets_no_signal(slot, iteration_id)
                               ? lh_sampler_no_signal(slot, iteration_id)
                               : LH_NO_STACK_LATE;
    lh_record_publish_apart(record);
}

/* True: it waits for the GIL, or did a moment ago. */
static bool look_at_gil(struct lh_slot *slot, uint64_t iteration_id, uint64_t since_ns)
{
    struct lh_record *record = &lh_process->waiting;
    struct lh_call_copy copy;
    if (!lh_call_copy_consistent(slot, &copy) || !lh_call_is_for_gil(&copy))
        return false;
    lh_progress_note_gil(slot, iteration_id, slot->tick_cpu_ns);
    lh_holder_report(slot, &copy, 0);
    lh_record_begin_apart(record, LH_EVENT_SAMPLE, &copy, 0, false);
    record->waits_for_gil = 1;
    if (!lh_call_is_in_flight(slot, &copy) || atomic_load(&slot->iteration_id) != iteration_id)
        return true;
    publish_sample(slot, iteration_id, since_ns);
    publish_progress(slot, iteration_id);
    return true;
}

/* Has nobody written a sample of an iteration that is about to be a stall? Once, that is; and at
 * each look where no signal comes. */
static bool is_unseen(const struct lh_slot *slot, uint64_t iteration_id, uint64_t elapsed_ns)
{
    return gets_no_signal(slot, iteration_id) ||
           (atomic_load(&slot->seen_iteration) != iteration_id &&
            elapsed_ns >= lh_options.threshold_ns / 4 * 3);
}

/* The signal's handler reports with a better stack, where it comes: it is given one more tick, or a
 * few where there would be none from outside. */
static bool is_overdue(const struct lh_slot *slot, uint64_t iteration_id, uint64_t elapsed_ns)
{
    uint64_t grace_ns = lh_options.threshold_ns / (slot->python_thread != 0 ? 4 : 1);
    if (gets_no_signal(slot, iteration_id))
        grace_ns = 0;
    return elapsed_ns >= lh_progress_due_ns(slot, iteration_id) + grace_ns;
}

static void look_at_running(struct lh_slot *slot, uint64_t iteration_id, uint64_t since_ns)
{
    uint64_t elapsed_ns = lh_progress_elapsed_ns(slot, iteration_id);
    bool unseen = is_unseen(slot, iteration_id, elapsed_ns);
    bool overdue = is_overdue(slot, iteration_id, elapsed_ns);
    if ((!unseen && !overdue) || !fill_running(slot, iteration_id, &lh_process->waiting))
        return;
    /* One look among the signal's samples is worth one of them. */
    if (unseen)
        publish_sample(slot, iteration_id,
                       gets_no_signal(slot, iteration_id) ? since_ns : LH_SAMPLE_NS);
    if (overdue)
        publish_progress(slot, iteration_id);
}

void lh_outside_tick(struct lh_slot *slot, uint64_t iteration_id, uint64_t since_ns)
{
    if (look_at_gil(slot, iteration_id, since_ns) || !has_no_call(slot, iteration_id))
        return;
    if (fill_waiting(slot, iteration_id, &lh_process->waiting)) {
        publish_sample(slot, iteration_id, since_ns);
        publish_progress(slot, iteration_id);
    } else if (!lh_progress_waits_for_gil(slot, iteration_id, slot->tick_cpu_ns)) {
        look_at_running(slot, iteration_id, since_ns);
    }
}
