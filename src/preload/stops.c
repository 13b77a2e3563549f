/* Times in which the process was held. See stops.h; raw system calls, no libc state, no malloc. */
#include "preload/stops.h"

#include <stdatomic.h>

#include "preload/clock.h"
#include "preload/proc.h"
#include "preload/sys.h"

#define LATE_NS (20 * LH_NS_PER_MS) /* less is the kernel's own business */
#define KEPT    8u
#define AWAKE   INT64_MAX
#define CALLED  (INT64_MAX - 1) /* wakes when it is called */

static _Atomic int64_t wakes_at_ns = AWAKE; /* CLOCK_MONOTONIC */
static uint64_t delayed_ns;                 /* the watchdog's own: its run delay before the sleep */

/* The latest ones. Any thread may read while one is replaced: it then takes one stop for another.
 */
static struct {
    _Atomic uint64_t end; /* lh_counter() */
    _Atomic uint64_t length_ns;
} stops[KEPT];
static uint32_t stop_count;

static uint64_t run_delay_ns(void)
{
    return lh_proc_run_delay_ns((uint32_t)lh_syscall0(SYS_gettid));
}

void lh_stops_before(int64_t asked_ns)
{
    delayed_ns = run_delay_ns();
    atomic_store(&wakes_at_ns, asked_ns < 0 ? CALLED : lh_clock_ns(CLOCK_MONOTONIC) + asked_ns);
}

void lh_stops_called(void)
{
    int64_t wakes_ns = atomic_load(&wakes_at_ns);
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    if (wakes_ns != AWAKE && now_ns < wakes_ns)
        atomic_compare_exchange_strong(&wakes_at_ns, &wakes_ns, now_ns);
}

void lh_stops_after(void)
{
    int64_t late_ns = lh_clock_ns(CLOCK_MONOTONIC) - atomic_exchange(&wakes_at_ns, AWAKE);
    if (late_ns < LATE_NS || delayed_ns == LH_UNKNOWN)
        return;
    late_ns -= (int64_t)(run_delay_ns() - delayed_ns);
    if (late_ns < LATE_NS)
        return;
    uint32_t at = stop_count++ % KEPT;
    atomic_store(&stops[at].length_ns, (uint64_t)late_ns);
    atomic_store(&stops[at].end, lh_counter());
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
    int64_t late_ns = lh_clock_ns(CLOCK_MONOTONIC) - atomic_load(&wakes_at_ns);
    return late_ns < LATE_NS ? 0 : (uint64_t)late_ns;
}
