/* SPDX-License-Identifier: Apache-2.0 */
/* Times in which the process was held. See suspends.h; raw system calls, no libc state, no malloc.
 */
#include "preload/state/suspends.h"

#include <stdatomic.h>

#include "preload/state/state.h"
#include "preload/sys/clock.h"
#include "preload/sys/futex.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

#define LATE_NS        (20 * LH_NS_PER_MS) /* less is the kernel's own business */
#define UNREAD_NS      LH_NS_PER_MS        /* by so much it may know too little of itself */
#define KEPT           8u
#define NEVER          INT64_MAX
#define SETTLE_STEP_NS (100 * LH_NS_PER_US)
#define SETTLE_STEPS   100

/* When the watchdog is next to be heard of (CLOCK_MONOTONIC): the end of its sleep; while it is
 * awake, at once. */
static _Atomic int64_t due_ns = NEVER;
static uint64_t heard; /* lh_counter() when it was last known to be awake */

/* How long it had run and waited for a processor when that was last read, and the most that it can
 * have since: the time in which it did not sleep by its own will. That is a matter of microseconds
 * for each tick, and to read it costs as much as all the rest of one. */
static uint64_t own_ns;
static int64_t unread_ns;

/* The latest ones. Any thread may read while one is replaced: it then takes one stop for another.
 */
static struct {
    _Atomic uint64_t begin;     /* lh_counter(): it was held from here on at the earliest … */
    _Atomic uint64_t end;       /* … until here … */
    _Atomic uint64_t length_ns; /* … without what the watchdog did in between */
} stops[KEPT];
static uint32_t stop_count;

static uint64_t read_own_ns(void)
{
    unread_ns = 0;
    uint64_t delay_ns = lh_proc_run_delay_ns((uint32_t)lh_syscall0(SYS_gettid));
    if (delay_ns == LH_UNKNOWN)
        return LH_UNKNOWN;
    return delay_ns + (uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* When in its last sleep the process was held is not known: that may have been at its begin. What
 * is told too short by that is no more than a tick, and nothing is told that was not. */
static void keep_stop(uint64_t end, uint64_t awake_ns)
{
    uint32_t at = stop_count++ % KEPT;
    uint64_t length_ns = lh_counter_to_ns(end - heard);
    atomic_store(&stops[at].end, 0);
    atomic_store(&stops[at].begin, heard);
    atomic_store(&stops[at].length_ns, length_ns > awake_ns ? length_ns - awake_ns : 0);
    atomic_store(&stops[at].end, end);
}

/* It was late: has it spent that time itself? */
static void judge(int64_t late_ns, uint64_t now)
{
    uint64_t before_ns = own_ns;
    own_ns = read_own_ns();
    if (late_ns >= LATE_NS && before_ns != LH_UNKNOWN && own_ns != LH_UNKNOWN &&
        late_ns - (int64_t)(own_ns - before_ns) >= LATE_NS)
        keep_stop(now, own_ns - before_ns);
}

/* It is heard of now. */
static void hear(int64_t now_ns)
{
    int64_t late_ns = now_ns - atomic_load(&due_ns);
    uint64_t now = lh_counter();
    unread_ns += late_ns > 0 ? late_ns : 0;
    if (unread_ns >= UNREAD_NS)
        judge(late_ns, now);
    heard = now;
}

void lh_suspends_begin(void)
{
    atomic_store(&due_ns, lh_clock_ns(CLOCK_MONOTONIC));
    heard = lh_counter();
    own_ns = read_own_ns();
}

void lh_suspends_before(int64_t asked_ns)
{
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    hear(now_ns);
    atomic_store(&due_ns, asked_ns < 0 ? NEVER : now_ns + asked_ns);
}

void lh_suspends_called(void)
{
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    int64_t before_ns = atomic_load(&due_ns);
    if (now_ns < before_ns)
        atomic_compare_exchange_strong(&due_ns, &before_ns, now_ns);
}

void lh_suspends_served(void)
{
    heard = lh_counter();
    lh_suspends_called();
}

void lh_suspends_after(void)
{
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    hear(now_ns);
    atomic_store(&due_ns,
                 now_ns); /* last: until then it is overdue, from here on the stop is kept */
}

/* Of a stop that had begun already, the part that may lie behind `start`. */
static uint64_t part_after(uint64_t start, uint32_t at)
{
    uint64_t end = atomic_load(&stops[at].end);
    uint64_t length_ns = atomic_load(&stops[at].length_ns);
    if (end <= start)
        return 0;
    if (atomic_load(&stops[at].begin) >= start)
        return length_ns;
    uint64_t after_ns = lh_counter_to_ns(end - start);
    return after_ns < length_ns ? after_ns : length_ns;
}

uint64_t lh_suspends_within(uint64_t start, uint64_t elapsed_ns)
{
    uint64_t sum_ns = 0;
    for (uint32_t i = 0; i < KEPT; i++)
        sum_ns += part_after(start, i);
    return sum_ns < elapsed_ns ? sum_ns : elapsed_ns;
}

static uint64_t overdue_ns(void)
{
    if (atomic_load(&lh_process->watchdog_tid) == 0)
        return 0; /* there is none to be heard of */
    int64_t late_ns = lh_clock_ns(CLOCK_MONOTONIC) - atomic_load(&due_ns);
    return late_ns < LATE_NS ? 0 : (uint64_t)late_ns;
}

uint64_t lh_suspends_settle(void)
{
    _Atomic uint32_t nobody_wakes = 0;
    for (int i = 0; i < SETTLE_STEPS && overdue_ns() != 0; i++)
        lh_futex_wait(&nobody_wakes, 0, SETTLE_STEP_NS, false);
    uint64_t late_ns = overdue_ns();
    uint32_t watchdog = (uint32_t)atomic_load(&lh_process->watchdog_tid);
    return late_ns != 0 && lh_proc_state(watchdog) != 'R' ? late_ns : 0;
}
