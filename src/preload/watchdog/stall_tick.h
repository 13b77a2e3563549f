/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations that go on, as the watchdog sees them. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_STALL_TICK_H
#define LH_PRELOAD_WATCHDOG_STALL_TICK_H

#include "preload/state/state.h"

/* When it starts, with the length of a tick: works out the thresholds of iteration/stall.h in steps
 * of the counter, as time has passed to measure that by. */
void lh_stall_tick_init(uint64_t tick_ns);

/* At each tick, for a loop thread that is not parked. Of an iteration that is young, a quarter of a
 * tick at most, nothing is read but where `reads`: the accounts of the one that follows begin at
 * the latest reading, or a tick and a quarter before its first one, whichever is later. */
void lh_stall_tick(struct lh_slot *slot, bool reads);

/* For one that is parked, and has made turns since the last look: the accounts of its next
 * iteration begin here at the earliest. */
void lh_stall_tick_parked(struct lh_slot *slot);

#endif
