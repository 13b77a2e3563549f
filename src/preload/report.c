/* From a call to a record in the ring. Any thread; see report.h. */
#include "preload/report.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "preload/clock.h"
#include "preload/memory.h"
#include "preload/python.h"
#include "preload/subject.h"
#include "preload/sys.h"
#include "preload/watchdog.h"

void lh_call_copy_own(struct lh_slot *slot, struct lh_call_copy *copy)
{
    copy->seq = atomic_load_explicit(&slot->seq, memory_order_relaxed);
    copy->start = slot->start;
    copy->subject = slot->subject;
    copy->call = slot->call;
    copy->tid = atomic_load_explicit(&slot->tid, memory_order_relaxed);
    copy->python_thread = slot->python_thread;
    copy->registers = slot->registers;
}

bool lh_call_copy_consistent(struct lh_slot *slot, struct lh_call_copy *copy)
{
    uintptr_t sp = atomic_load_explicit(&slot->sp, memory_order_acquire);
    if (sp == 0)
        return false;
    lh_call_copy_own(slot, copy);
    atomic_thread_fence(memory_order_acquire);
    return copy->call < LH_CALL_COUNT && copy->seq == atomic_load(&slot->seq) &&
           sp == atomic_load(&slot->sp);
}

bool lh_call_is_wanted(const struct lh_slot *slot, const struct lh_call_copy *copy,
                       const struct lh_resource *resource, uint32_t *group)
{
    const struct lh_call_info *info = lh_call_info(copy->call);
    bool network = info->group == LH_GROUP_FILE && resource->kind == LH_RESOURCE_SOCKET;
    *group = network ? LH_GROUP_NETWORK : info->group;
    if (atomic_load_explicit(&slot->allow_depth, memory_order_relaxed) != 0)
        return false;
    if ((lh_options.calls[copy->call] & (network ? LH_CALL_ON_AS_NETWORK : LH_CALL_ON)) == 0)
        return false;
    return info->subject != LH_SUBJECT_LOCK || !lh_python_is_runtime_lock(copy->subject);
}

static void fill_thread_name(struct lh_record *record, uint32_t tid, bool own)
{
    static const char unknown[] = "?";
    memset(record->thread, 0, sizeof(record->thread));
    if (own)
        lh_syscall5(SYS_prctl, PR_GET_NAME, (long)record->thread, 0, 0, 0);
    else
        lh_watchdog_thread_name(tid, record->thread);
    if (record->thread[0] == '\0')
        memcpy(record->thread, unknown, sizeof(unknown));
}

static void fill_stack(struct lh_record *record, const struct lh_call_copy *copy)
{
    record->registers = copy->registers;
    record->stack_length = 0;
    record->stack_address = 0;
    record->python_count = 0;
    record->strings_length = 0;
    record->python_loop.size = 0;
    record->task = (struct lh_python_task){0};
    if (lh_options.stack_frames == 0)
        return;
    if (copy->registers.rsp != 0)
        record->stack_length = (uint32_t)lh_memory_copy_self(record->stack, copy->registers.rsp,
                                                             lh_options.stack_bytes);
    if (record->stack_length > 0)
        record->stack_address = copy->registers.rsp;
    if (copy->python_thread != 0)
        lh_python_capture(lh_memory_read_self, copy->python_thread, lh_options.stack_frames,
                          record);
}

void lh_record_fill(struct lh_record *record, enum lh_event type, const struct lh_call_copy *copy,
                    uint64_t elapsed_ns, bool own)
{
    record->type = type;
    record->tid = copy->tid;
    record->time_ns = lh_clock_ns(CLOCK_REALTIME);
    record->elapsed_ns = elapsed_ns;
    record->call = copy->call;
    record->reason = LH_REASON_THRESHOLD;
    record->found = LH_FOUND_BY_CALL;
    record->error = 0;
    record->fd = -1;
    record->system_call = -1;
    record->skipped = 0;
    record->held_tid = 0;
    record->deadlock = 0;
    record->computes = 0;
    record->awaits_victims = 0;
    fill_thread_name(record, copy->tid, own);
    memset(&record->stall, 0, sizeof(record->stall));
    fill_stack(record, copy);
}

void lh_record_publish(struct lh_ring *ring, const struct lh_record *filled)
{
    size_t start = offsetof(struct lh_record, type);
    struct lh_record *record = lh_ring_reserve(ring);
    if (record == NULL) {
        atomic_fetch_add(&ring->totals.dropped, 1);
        return;
    }
    memcpy((char *)record + start, (const char *)filled + start,
           offsetof(struct lh_record, stack) - start + filled->stack_length);
    lh_ring_commit(ring, record);
    lh_ring_wake(ring);
}

bool lh_rate_take(struct lh_slot *slot)
{
    if (lh_options.rate_window_ns == 0)
        return true;
    uint64_t window = (uint64_t)lh_clock_ns(CLOCK_MONOTONIC) / lh_options.rate_window_ns + 1;
    if (atomic_exchange(&slot->rate_window, window) != window)
        atomic_store(&slot->rate_used, 0);
    if (atomic_fetch_add(&slot->rate_used, 1) < lh_options.rate_reports)
        return true;
    atomic_fetch_add(&slot->skipped, 1);
    return false;
}

void lh_ring_wake(struct lh_ring *ring)
{
    if (atomic_load(&ring->attached) != 0)
        lh_syscall3(SYS_futex, (long)&ring->wake, FUTEX_WAKE, INT_MAX);
    else
        lh_watchdog_want_collector();
}
