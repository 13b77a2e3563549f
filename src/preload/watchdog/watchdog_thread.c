/* SPDX-License-Identifier: Apache-2.0 */
/* What the watchdog does. See watchdog_thread.h.
 *
 * Runs on the watchdog, but for lh_watchdog_choose_timing(): no libc call that touches thread-local
 * storage (errno, malloc, stdio, locale), raw system calls only. */
#include "preload/watchdog/watchdog_thread.h"

#include <linux/close_range.h>
#include <sys/prctl.h>

#include "preload/iteration/stall.h"
#include "preload/reader/collector_link.h"
#include "preload/state/state.h"
#include "preload/state/suspends.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/futex.h"
#include "preload/sys/syscall.h"
#include "preload/watchdog/inline_find.h"
#include "preload/watchdog/inline_watch.h"
#include "preload/watchdog/kept_times.h"
#include "preload/watchdog/loops_tick.h"
#include "preload/watchdog/stall_tick.h"

#define TICK_MIN_NS LH_NS_PER_MS

static int64_t tick_ns(void)
{
    int64_t tick = (int64_t)(lh_options.threshold_ns / 4);
    return tick < TICK_MIN_NS ? TICK_MIN_NS : tick;
}

void lh_watchdog_choose_timing(bool watchdog_runs)
{
    bool marks =
        watchdog_runs && !lh_options.strict && lh_options.threshold_ns >= 4 * (uint64_t)TICK_MIN_NS;
    if (marks)
        atomic_fetch_and(&lh_time_all_calls, ~LH_TIMED_WITHOUT_MARKS);
    else
        atomic_fetch_or(&lh_time_all_calls, LH_TIMED_WITHOUT_MARKS);
}

/* A descriptor table of our own. CLONE_FILES and then UNSHARE: none of the program's descriptors is
 * ever duplicated, so no peer of the program waits for an end of file because of us. */
static bool take_own_descriptors(void)
{
    return lh_syscall3(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

/* timeout_ns < 0: until it is called. This says when it is due before it looks at `watchdog_wake`;
 * who calls adds to that before it changes when this is due. One sees the other (seq_cst). */
static void doze(uint32_t seen, int64_t timeout_ns)
{
    lh_suspends_before(timeout_ns);
    if (atomic_load(&lh_process->watchdog_wake) != seen)
        lh_suspends_called(); /* before the line above, in vain */
    lh_futex_wait(&lh_process->watchdog_wake, seen, timeout_ns, false);
    lh_suspends_after();
}

/* It got no processor for so long that a whole block may have passed unmarked: calls take their end
 * times until it has come in time for a while. */
#define IN_TIME 256 /* ticks in a row */
static void note_delay(uint64_t slept_tsc)
{
    static uint32_t left;
    uint64_t threshold_tsc = atomic_load_explicit(&lh_threshold_tsc, memory_order_relaxed);
    if (slept_tsc >= threshold_tsc - threshold_tsc / 4) {
        left = IN_TIME;
        atomic_fetch_or(&lh_time_all_calls, LH_TIMED_STARVED);
    } else if (LH_UNLIKELY(left > 0) && --left == 0) {
        atomic_fetch_and(&lh_time_all_calls, ~LH_TIMED_STARVED);
    }
}

static void doze_a_tick(uint32_t seen)
{
    uint64_t before = lh_counter();
    doze(seen, tick_ns());
    note_delay(lh_counter() - before);
}

static void sleep_until_called(uint32_t seen)
{
    atomic_store(&lh_process->watchdog_call, 1);
    /* A park that ended before the store above is seen here; one after it sees the store. */
    if (lh_loops_are_parked())
        doze(seen, lh_inline_due_ns());
    atomic_store(&lh_process->watchdog_call, 0);
}

static void announce(enum lh_watchdog_ready ready)
{
    atomic_store(&lh_process->watchdog_ready, ready);
    lh_futex_wake(&lh_process->watchdog_ready, false);
}

static void watch(void)
{
    bool called = true;
    while (atomic_load(&lh_process->watchdog_stop) == LH_WATCHDOG_GOES_ON) {
        uint32_t seen = atomic_load(&lh_process->watchdog_wake);
        lh_link_serve();
        lh_inline_look(NULL);
        called = lh_loops_tick(called) == LH_LOOPS_PARKED;
        if (called)
            sleep_until_called(seen);
        else
            doze_a_tick(seen);
    }
    lh_link_finish(); /* for an exec or an end, after which nobody would */
}

static bool begin_to_serve(bool able, bool found)
{
    if (atomic_load(&lh_process->watchdog_ready) == LH_WATCHDOG_STARTING) {
        lh_suspends_begin();
        bool has_room = lh_fd_has_room();
        able = able && has_room && lh_link_make_ring(lh_inline_problem(found));
        lh_stall_tick_init((uint64_t)tick_ns());
        announce(able ? LH_WATCHDOG_READY : has_room ? LH_WATCHDOG_UNABLE : LH_WATCHDOG_NO_ROOM);
    }
    return atomic_load(&lh_process->watchdog_ready) == LH_WATCHDOG_READY;
}

/* A loop was found: this process is a watched one from now on, unless a thread of its own makes it
 * one at this moment. */
static bool becomes_watched(void)
{
    uint32_t expected = LH_PROCESS_NEW;
    uint32_t role = LH_WATCHDOG_SCOUTS;
    if (atomic_load(&lh_process->state) == LH_PROCESS_WATCHED)
        return true;
    if (!atomic_compare_exchange_strong(&lh_process->state, &expected, LH_PROCESS_STARTING))
        return false;
    atomic_store(&lh_process->pid, (uint32_t)lh_syscall0(SYS_getpid));
    atomic_compare_exchange_strong(&lh_process->watchdog_role, &role, LH_WATCHDOG_WATCHES);
    bool able = begin_to_serve(true, true);
    lh_watchdog_choose_timing(able);
    atomic_store(&lh_process->state, able ? LH_PROCESS_WATCHED : LH_PROCESS_OFF);
    lh_futex_wake(&lh_process->state, false);
    return able;
}

/* Looks for loops that no wrapper sees, in a process without one. Returns when it is to watch, or
 * to end. */
static void scout(void)
{
    while (atomic_load(&lh_process->watchdog_role) == LH_WATCHDOG_SCOUTS &&
           atomic_load(&lh_process->watchdog_stop) == LH_WATCHDOG_GOES_ON) {
        uint32_t seen = atomic_load(&lh_process->watchdog_wake);
        lh_inline_look(becomes_watched);
        int64_t due_ns = lh_inline_due_ns();
        uint32_t role = LH_WATCHDOG_SCOUTS;
        if (due_ns < 0 && atomic_compare_exchange_strong(&lh_process->watchdog_role, &role,
                                                         LH_WATCHDOG_HAS_SCOUTED))
            return;
        if (atomic_load(&lh_process->watchdog_role) == LH_WATCHDOG_SCOUTS)
            lh_futex_wait(&lh_process->watchdog_wake, seen, due_ns, false);
    }
}

bool lh_watchdog_is_to_watch(void)
{
    return atomic_load(&lh_process->watchdog_role) == LH_WATCHDOG_WATCHES;
}

static bool is_to_leave(void)
{
    uint32_t asked = LH_WATCHDOG_ASKED_TO_END;
    return atomic_compare_exchange_strong(&lh_process->watchdog_stop, &asked, LH_WATCHDOG_LEAVES);
}

int lh_watchdog_main(void *argument)
{
    (void)argument;
    lh_syscall5(SYS_prctl, PR_SET_NAME, (long)"loophound", 0, 0, 0);
    bool able = take_own_descriptors();
    lh_kept_times_begin();
    lh_inline_watch_begin();
    lh_inline_find_begin();
    if (able && !lh_watchdog_is_to_watch()) {
        scout();
        if (!lh_watchdog_is_to_watch())
            return 0;
    }
    able = begin_to_serve(able, false);
    while (able) {
        watch();
        if (is_to_leave())
            break;
    }
    lh_link_end();
    return 0;
}
