/* Times in which the process was held. See stops.h; raw system calls, no libc state, no malloc. */
#include "preload/stops.h"

#include <stdatomic.h>

#include "preload/clock.h"
#include "preload/proc.h"
#include "preload/sys.h"

#define LATE_NS (20 * LH_NS_PER_MS) /* less is the kernel's own business */
#define KEPT    8u
#define NEVER   INT64_MAX

/* When the watchdog is next to be heard of (CLOCK_MONOTONIC): the end of its sleep; while it is
 * awake, at once. */
static _Atomic int64_t due_ns = NEVER;
static uint64_t own_ns; /* how long it had run and waited for a processor when that was last read */

/* The latest ones. Any thread may read while one is replaced: it then takes one stop for another.
 */
static struct {
    _Atomic uint64_t end; /* lh_counter() */
    _Atomic uint64_t length_ns;
} stops[KEPT];
static uint32_t stop_count;

static uint64_t read_own_ns(void)
{
    uint64_t delay_ns = lh_proc_run_delay_ns((uint32_t)lh_syscall0(SYS_gettid));
    if (delay_ns == LH_UNKNOWN)
        return LH_UNKNOWN;
    return delay_ns + (uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void keep_stop(int64_t length_ns)
{
    uint32_t at = stop_count++ % KEPT;
    atomic_store(&stops[at].length_ns, (uint64_t)length_ns);
    atomic_store(&stops[at].end, lh_counter());
}

/* It is heard of now: how late, and has it spent that time itself? */
static void judge(int64_t now_ns)
{
    int64_t late_ns = now_ns - atomic_load(&due_ns);
    uint64_t before_ns = own_ns;
    own_ns = read_own_ns();
    if (late_ns < LATE_NS || before_ns == LH_UNKNOWN || own_ns == LH_UNKNOWN)
        return;
    late_ns -= (int64_t)(own_ns - before_ns);
    if (late_ns >= LATE_NS)
        keep_stop(late_ns);
}

void lh_stops_begin(void)
{
    atomic_store(&due_ns, lh_clock_ns(CLOCK_MONOTONIC));
    own_ns = read_own_ns();
}

void lh_stops_before(int64_t asked_ns)
{
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    judge(now_ns);
    atomic_store(&due_ns, asked_ns < 0 ? NEVER : now_ns + asked_ns);
}

void lh_stops_called(void)
{
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    int64_t before_ns = atomic_load(&due_ns);
    if (now_ns < before_ns)
        atomic_compare_exchange_strong(&due_ns, &before_ns, now_ns);
}

void lh_stops_after(void)
{
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    if (now_ns - atomic_load(&due_ns) >= LATE_NS)
        judge(now_ns);
    atomic_store(&due_ns,
                 now_ns); /* last: until then it is overdue, from here on the stop is kept */
}

uint64_t lh_stops_within(uint64_t start, uint64_t elapsed_ns)
{
    uint64_t sum_ns = 0;
    for (uint32_t i = 0; i < KEPT; i++)
        if (atomic_load(&stops[i].end) > start)
            sum_ns += atomic_load(&stops[i].length_ns);
    return sum_ns < elapsed_ns ? sum_ns : elapsed_ns;
}

uint64_t lh_stops_overdue(void)
{
    int64_t late_ns = lh_clock_ns(CLOCK_MONOTONIC) - atomic_load(&due_ns);
    return late_ns < LATE_NS ? 0 : (uint64_t)late_ns;
}
