/* SPDX-License-Identifier: Apache-2.0 */
/* Who has what a loop thread waits for. See holder.h. */
#include "preload/watchdog/holder.h"

#include <stddef.h>

#include "preload/python/interpreter.h"
#include "preload/python/threads.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"
#include "preload/watchdog/candidates.h"
#include "preload/watchdog/cycle.h"
#include "preload/watchdog/python_twice.h"

struct holder {
    uint32_t tid;
    uintptr_t python_thread; /* 0: none, or not known */
};

/* In Python's terms. False: it is not known, or has nothing of Python's. */
static bool find_awaited(const struct lh_slot *slot, const struct lh_call_copy *copy,
                         struct lh_python_awaited *awaited)
{
    enum lh_operand operand = lh_call_info(copy->call)->operand;
    const struct lh_python_waiter waiter = {slot->python_thread, copy->tid, copy->operand};
    awaited->kind = LH_AWAITED_NONE;
    return waiter.state != 0 &&
           (operand == LH_OPERAND_LOCK || operand == LH_OPERAND_CONDITION ||
            operand == LH_OPERAND_THREAD) &&
           lh_python_awaited(lh_memory_read_self, &waiter, awaited) &&
           lh_call_is_in_flight((struct lh_slot *)slot, copy);
}

static struct holder find_holder(const struct lh_slot *slot, const struct lh_call_copy *copy,
                                 const struct lh_python_awaited *awaited)
{
    struct holder holder = {awaited->owner_tid, awaited->owner_state};
    uintptr_t python = slot->python_thread;
    switch (lh_call_info(copy->call)->operand) {
    case LH_OPERAND_MUTEX:
        holder.tid = lh_mutex_owner(copy->operand);
        break;
    case LH_OPERAND_RWLOCK:
        holder.tid = lh_rwlock_owner(copy->operand);
        break;
    case LH_OPERAND_CONDITION:
        if (python != 0 && lh_python_is_runtime_lock(copy->operand))
            holder.tid = lh_python_gil_holder(copy->operand, python, &holder.python_thread);
        break;
    default:
        break;
    }
    if (holder.tid == copy->tid || !lh_thread_is_ours(holder.tid))
        holder.tid = 0;
    else if (holder.python_thread == 0 && python != 0)
        holder.python_thread = lh_python_thread_find(python, holder.tid);
    return holder;
}

/* A thread that waits stands still while it does; of one that runs no machine stack is taken. */
static struct lh_record *begin_record(const struct holder *holder)
{
    struct lh_thread_wait before = {0};
    struct lh_thread_wait after = {0};
    struct lh_call_copy copy = {.tid = holder->tid, .python_thread = holder->python_thread};
    bool waits = lh_proc_thread_wait(holder->tid, &before);
    copy.registers.sp = before.sp;
    copy.registers.pc = before.pc;
    struct lh_record *record = lh_record_begin(LH_EVENT_HOLDER, &copy, 0, false);
    if (record == NULL)
        return NULL;
    record->running = 1;
    if (waits && lh_proc_thread_wait(holder->tid, &after) && after.sp == before.sp &&
        after.pc == before.pc)
        return record;
    record->computes = 1;
    record->stack_length = 0;
    record->stack_address = 0;
    if (holder->python_thread != 0)
        lh_python_confirm(holder->python_thread, record);
    return record;
}

void lh_holder_report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t id)
{
    struct lh_python_awaited awaited = {.kind = LH_AWAITED_NONE};
    if (find_awaited(slot, copy, &awaited) && id != 0)
        lh_candidates_report(slot, copy, id, &awaited);
    struct holder holder = find_holder(slot, copy, &awaited);
    struct lh_record *record = holder.tid != 0 ? begin_record(&holder) : NULL;
    if (record == NULL)
        return;
    record->id = id;
    record->waiter_tid = copy->tid;
    record->deadlock =
        lh_waits_for((struct lh_waiting_thread){holder.tid, holder.python_thread}, copy->tid);
    record->stall.iteration_id = atomic_load(&slot->iteration_id);
    lh_record_publish(record);
}
