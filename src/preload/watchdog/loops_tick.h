/* SPDX-License-Identifier: Apache-2.0 */
/* One look of the watchdog at all loops. */
#ifndef LH_PRELOAD_WATCHDOG_LOOPS_TICK_H
#define LH_PRELOAD_WATCHDOG_LOOPS_TICK_H

#include <stdbool.h>
#include <stdint.h>

/* Looks at every loop thread; true while one of them is not parked, or is one of those that do not
 * call when they are no longer. */
bool lh_loops_tick(uint64_t tick_ns);

#endif
