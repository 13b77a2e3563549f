/* SPDX-License-Identifier: Apache-2.0 */
/* One look of the watchdog at all loops. */
#ifndef LH_PRELOAD_WATCHDOG_LOOPS_TICK_H
#define LH_PRELOAD_WATCHDOG_LOOPS_TICK_H

#include <stdbool.h>
#include <stdint.h>

enum lh_loops {
    LH_LOOPS_PARKED,
    LH_LOOPS_TURN, /* parked, but they have made so many turns since the last look that one more
                      look costs less than to be called at the end of each park */
    LH_LOOPS_BUSY, /* one of them is not parked, or is one of those that do not call */
};

/* Looks at every loop thread. `called`: somebody did, the loops were at rest. */
enum lh_loops lh_loops_tick(bool called);

/* Is no loop busy? Tells nothing of any. */
bool lh_loops_are_parked(void);

#endif
