/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that have not returned: marked at each tick, reported from the threshold on. */
#ifndef LH_PRELOAD_WATCHDOG_INFLIGHT_H
#define LH_PRELOAD_WATCHDOG_INFLIGHT_H

#include "preload/state/state.h"

/* One look of the watchdog at a loop thread that is not parked. Runs on the watchdog only. */
void lh_inflight_tick(struct lh_slot *slot);

#endif
