/* Who has what a loop thread waits for. See holder.h. */
#include "preload/holder.h"

#include <stddef.h>
#include <string.h>

#include "preload/memory.h"
#include "preload/proc.h"
#include "preload/python.h"
#include "preload/python_threads.h"
#include "preload/sys.h"

#define CHAIN_MOST 16 /* waiting threads that are followed to find a cycle */

/* glibc's struct __pthread_mutex_s: __lock, __count, __owner; struct __pthread_rwlock_arch_t: six
 * words, then __cur_writer (bits/struct_mutex.h, bits/struct_rwlock.h of x86). Both are 0 while
 * there is none. */
#define MUTEX_OWNER   8
#define RWLOCK_WRITER 24

struct holder {
    uint32_t tid;
    uintptr_t python_thread; /* 0: none, or not known */
};

static uint32_t owner_at(uintptr_t address)
{
    uint32_t tid = 0;
    return lh_memory_read_self(&tid, address, sizeof(tid)) == 0 ? tid : 0;
}

static bool is_thread_of_ours(uint32_t tid)
{
    return tid != 0 && lh_syscall3(SYS_tgkill, lh_syscall0(SYS_getpid), tid, 0) == 0;
}

static struct holder find_holder(const struct lh_slot *slot, const struct lh_call_copy *copy)
{
    struct holder holder = {0, 0};
    uintptr_t python = slot->python_thread;
    switch (lh_call_info(copy->call)->subject) {
    case LH_SUBJECT_MUTEX:
        holder.tid = owner_at(copy->subject + MUTEX_OWNER);
        break;
    case LH_SUBJECT_RWLOCK:
        holder.tid = owner_at(copy->subject + RWLOCK_WRITER);
        break;
    case LH_SUBJECT_LOCK:
        if (python != 0 && lh_python_is_runtime_lock(copy->subject))
            holder.tid = lh_python_gil_holder(copy->subject, python, &holder.python_thread);
        break;
    default:
        break;
    }
    if (!is_thread_of_ours(holder.tid))
        holder.tid = 0;
    else if (holder.python_thread == 0 && python != 0)
        holder.python_thread = lh_python_thread_find(python, holder.tid);
    return holder;
}

/* From one waiting thread to the next: each waits on the futex that a mutex begins with. */
static bool is_deadlock(uint32_t waiting_tid, uint32_t tid)
{
    struct lh_thread_wait wait;
    for (int i = 0; i < CHAIN_MOST && tid != 0; i++) {
        if (tid == waiting_tid)
            return true;
        if (!lh_proc_thread_wait(tid, &wait) || wait.number != SYS_futex)
            return false;
        tid = owner_at(wait.first + MUTEX_OWNER);
    }
    return false;
}

static bool same_python(const struct lh_record *a, const struct lh_record *b)
{
    return a->python_count == b->python_count && a->strings_length == b->strings_length &&
           memcmp(a->python, b->python, a->python_count * sizeof(a->python[0])) == 0 &&
           memcmp(a->strings, b->strings, a->strings_length) == 0;
}

/* A thread that waits stands still while it does; of one that runs no machine stack is taken. */
static void fill(struct lh_record *record, const struct holder *holder)
{
    struct lh_thread_wait before = {0};
    struct lh_thread_wait after = {0};
    struct lh_call_copy copy = {.tid = holder->tid, .python_thread = holder->python_thread};
    bool waits = lh_proc_thread_wait(holder->tid, &before);
    copy.registers.rsp = before.sp;
    copy.registers.rip = before.pc;
    lh_record_fill(record, LH_EVENT_HOLDER, &copy, 0, false);
    if (holder->python_thread != 0)
        lh_python_name_thread(lh_memory_read_self, holder->python_thread, record);
    record->running = 1;
    if (waits && lh_proc_thread_wait(holder->tid, &after) && after.sp == before.sp &&
        after.pc == before.pc)
        return;
    record->computes = 1;
    record->stack_length = 0;
    record->stack_address = 0;
    lh_process->held.python_count = 0;
    lh_process->held.strings_length = 0;
    if (holder->python_thread != 0 && lh_options.stack_frames > 0)
        lh_python_capture(lh_memory_read_self, holder->python_thread, lh_options.stack_frames,
                          &lh_process->held);
    if (!same_python(record, &lh_process->held))
        record->python_count = 0;
}

void lh_holder_report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t id)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct holder holder = find_holder(slot, copy);
    struct lh_record *record =
        holder.tid != 0 && ring != NULL && lh_ring_has_room(ring) ? lh_ring_reserve(ring) : NULL;
    if (record == NULL)
        return;
    fill(record, &holder);
    record->id = id;
    record->group = LH_GROUP_OTHER;
    record->resource.kind = LH_RESOURCE_NONE;
    record->resource.length = 0;
    record->held_tid = copy->tid;
    record->deadlock = is_deadlock(copy->tid, holder.tid);
    record->stall.turn = atomic_load(&slot->turn);
    lh_ring_commit(ring, record);
}
