/* SPDX-License-Identifier: Apache-2.0 */
/* The timers that sample loop threads. Runs on the watchdog: raw system calls only, no malloc. */
#include "preload/watchdog/sample_timer.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "preload/iteration/sampler.h"
#include "preload/reader/collector_link.h"
#include "preload/sys/clock.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

/* The first sample comes at the kernel's first tick in which the thread runs: one that gets little
 * of a processor is seen, too. */
#define FIRST_NS (100 * LH_NS_PER_US)

/* In a wait the clock stands, and goes on when the thread is woken. Ours must not be among the
 * first signals that it then gets: the kernel would begin the call anew for ours (SA_RESTART), and
 * what another signal was to end by EINTR would wait on (signal(7)). Waking takes far less than
 * this. */
#define WAKING_NS (2 * LH_NS_PER_MS)

/* The signal that was chosen last; 0: none yet. */
static int chosen;

/* The signals that the thread blocks, as a mask. */
static uint64_t blocked_signals(uint32_t tid)
{
    static const char name[] = "SigBlk:\t";
    char status[4096];
    if (lh_proc_read(tid, "status", status, sizeof(status)) <= 0)
        return UINT64_MAX;
    const char *line = strstr(status, name);
    return line != NULL ? lh_text_parse_hex(line + sizeof(name) - 1) : UINT64_MAX;
}

static bool may_use(int number, uint64_t blocked)
{
    return number != 0 && (blocked >> (number - 1) & 1) == 0 && lh_sampler_take_signal(number);
}

/* The one that was asked for, or, where the program uses that, the highest of the real-time ones
 * that it does not use. 0: there is none. */
static int choose_signal(uint32_t tid)
{
    uint64_t blocked = blocked_signals(tid);
    if (may_use(lh_options.signal, blocked))
        return lh_options.signal;
    if (may_use(chosen, blocked))
        return chosen;
    for (int number = LH_SIGNAL_MAX; number >= LH_SIGNAL_MIN; number--)
        if (may_use(number, blocked))
            return chosen = number;
    return 0;
}

/* timer_create(2) with SIGEV_THREAD_ID; the clock is the thread's own, as in stall_tick.c. Returns
 * what slot->timer holds. */
static int64_t make_timer(struct lh_slot *slot, uint32_t tid, int number)
{
    int timer = 0;
    struct sigevent event = {
        .sigev_signo = number, .sigev_notify = SIGEV_THREAD_ID, .sigev_value.sival_ptr = slot};
    event._sigev_un._tid = (pid_t)tid;
    long error =
        lh_syscall3(SYS_timer_create, (long)lh_clock_of_thread(tid), (long)&event, (long)&timer);
    return error == 0 ? timer + 1 : 0;
}

static void set_timer(struct lh_slot *slot, uint64_t iteration_id, uint32_t tid)
{
    int timer = (int)atomic_load(&slot->timer) - 1;
    slot->timer_waits = lh_proc_state(tid) == 'S';
    lh_sampler_set_timer(timer, slot->timer_waits ? WAKING_NS : FIRST_NS, LH_SAMPLE_NS);
    if (atomic_load(&slot->iteration_id) != iteration_id)
        lh_sampler_set_timer(timer, 0, 0);
}

/* Libc and we ourselves block all signals for a moment: that is looked at `again`. */
static enum lh_no_stack start(struct lh_slot *slot, uint64_t iteration_id, uint32_t tid, bool again)
{
    if (lh_options.signal == 0)
        return LH_NO_STACK_ASKED;
    int number = choose_signal(tid);
    if (number == 0)
        return again ? LH_NO_STACK_SIGNAL : LH_NO_STACK_LATE;
    if (atomic_load(&slot->timer_signal) != (uint32_t)number)
        lh_sampler_free_timer(slot);
    if (atomic_load(&slot->timer) == 0) {
        int64_t made = make_timer(slot, tid, number);
        atomic_store(&slot->timer_signal, (uint32_t)number);
        atomic_store(&slot->timer, made);
    }
    if (atomic_load(&slot->timer) == 0)
        return LH_NO_STACK_TIMER;
    set_timer(slot, iteration_id, tid);
    return LH_STACK_KNOWN;
}

/* In a wait, once: there the thread does not run. */
static void put_off(struct lh_slot *slot, uint64_t iteration_id, uint32_t tid, uint64_t ran_ns)
{
    if (ran_ns > 0)
        slot->timer_waits = false;
    else if (!slot->timer_waits && lh_proc_state(tid) == 'S')
        set_timer(slot, iteration_id, tid);
}

void lh_sample_timer_tick(struct lh_slot *slot, uint64_t iteration_id, uint64_t ran_ns)
{
    uint32_t tid = atomic_load(&slot->tid);
    bool begun = atomic_load(&slot->sampled_iteration) == iteration_id;
    enum lh_no_stack why = lh_sampler_no_signal(slot, iteration_id);
    if (tid == 0)
        return;
    if (begun && why != LH_NO_STACK_SIGNAL && why != LH_NO_STACK_LATE) {
        if (why == LH_STACK_KNOWN)
            put_off(slot, iteration_id, tid, ran_ns);
        return;
    }
    atomic_store(&slot->sampled_iteration, iteration_id);
    if (!begun)
        lh_link_forget_samples();
    atomic_store(&slot->no_signal, iteration_id << 8 | start(slot, iteration_id, tid, begun));
}
