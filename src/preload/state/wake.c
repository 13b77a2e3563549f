/* SPDX-License-Identifier: Apache-2.0 */
/* Waking. See wake.h; raw system calls only. */
#include "preload/state/wake.h"

#include "preload/sys/futex.h"

void lh_wake_watchdog(void)
{
    atomic_fetch_add(&lh_process->watchdog_wake, 1);
    lh_futex_wake(&lh_process->watchdog_wake, false);
}

void lh_wake_for_collector(void)
{
    atomic_store(&lh_process->collector_wanted, 1);
    if (atomic_load(&lh_process->watchdog_tid) != 0)
        lh_wake_watchdog();
}

void lh_wake_reader(struct lh_ring *ring)
{
    if (atomic_load(&ring->attached) == 0)
        lh_wake_for_collector();
    else if (atomic_load(&ring->sleeps) != 0)
        lh_futex_wake(&ring->wake, true);
}
