/* Iterations that wait where no wrapper sees it: in a system call that was not made through libc's
 * functions, in libc's own locks, in a page fault. What /proc tells about the thread. Runs on the
 * watchdog: raw system calls, no libc state, no malloc. */
#include "preload/proc.h"
#include "preload/report.h"
#include "preload/stall.h"
#include "preload/stops.h"

/* The watchdog's own. */

/* proc_pid_stat(5): asleep, or waiting for a disk. A thread that is held by a debugger or by
 * SIGSTOP is not. */
static bool is_asleep(uint32_t tid)
{
    char state = lh_proc_state(tid);
    return state == 'S' || state == 'D';
}

static bool has_no_call(const struct lh_slot *slot, uint64_t turn)
{
    return atomic_load(&slot->sp) == 0 && atomic_load(&slot->parked) == 0 &&
           atomic_load(&slot->turn) == turn;
}

/* The same wait before and after, and none of a wrapper or of the park: what was copied between
 * stood still. */
static bool fill(const struct lh_slot *slot, uint64_t turn, uint64_t stands_for_ns)
{
    uint32_t tid = atomic_load(&slot->tid);
    struct lh_thread_wait before;
    struct lh_thread_wait after;
    struct lh_call_copy copy = {.tid = tid, .python_thread = slot->python_thread};
    if (!is_asleep(tid) || !lh_proc_thread_wait(tid, &before))
        return false;
    copy.registers.rsp = before.sp;
    copy.registers.rip = before.pc;
    lh_record_fill(&lh_process->waiting, LH_EVENT_SAMPLE, &copy, stands_for_ns, false);
    lh_process->waiting.running = 1;
    lh_process->waiting.system_call = (int32_t)before.number;
    return lh_proc_thread_wait(tid, &after) && after.number == before.number &&
           after.sp == before.sp && after.pc == before.pc && has_no_call(slot, turn);
}

static uint64_t told_by_blocks_ns(const struct lh_slot *slot, uint64_t turn)
{
    return slot->iteration.turn == turn ? slot->iteration.told_ns : 0;
}

static uint64_t untold_ns(const struct lh_slot *slot, uint64_t turn)
{
    uint64_t start = slot->turn_start;
    uint64_t now = lh_counter();
    uint64_t age_ns = now > start ? lh_counter_to_ns(now - start) : 0;
    age_ns -= lh_stops_within(start, age_ns);
    uint64_t told_ns = told_by_blocks_ns(slot, turn);
    return age_ns > told_ns ? age_ns - told_ns : 0;
}

void lh_stall_look_at_wait(struct lh_slot *slot, uint64_t turn, uint64_t tick_ns)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (ring == NULL || !has_no_call(slot, turn) || !fill(slot, turn, tick_ns))
        return;
    lh_process->waiting.id = 0;
    lh_process->waiting.group = LH_GROUP_OTHER;
    lh_process->waiting.resource.kind = LH_RESOURCE_NONE;
    lh_process->waiting.resource.length = 0;
    lh_process->waiting.stall.turn = turn;
    if (lh_ring_has_room(ring))
        lh_record_publish(ring, &lh_process->waiting);
    struct lh_stall_tale tale = {.elapsed_ns = untold_ns(slot, turn)};
    if (!lh_stall_tell(slot, turn, &tale))
        return;
    lh_process->waiting.type = LH_EVENT_STALLING;
    lh_process->waiting.id = tale.id;
    lh_process->waiting.elapsed_ns = tale.elapsed_ns;
    lh_record_publish(ring, &lh_process->waiting);
}
