/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations that go on, as the watchdog sees them. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_STALL_TICK_H
#define LH_PRELOAD_WATCHDOG_STALL_TICK_H

#include "preload/state/state.h"

/* When it starts: works out the thresholds of iteration/stall.h in steps of the counter, as time
 * has passed to measure that by. */
void lh_stall_tick_init(void);

/* At each tick, for a loop thread that is not parked. */
void lh_stall_tick(struct lh_slot *slot, uint64_t tick_ns);

#endif
