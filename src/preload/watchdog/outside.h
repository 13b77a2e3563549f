/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations seen from outside: where they wait past our wrappers or for CPython's GIL, and where
 * they run when no signal tells. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_OUTSIDE_H
#define LH_PRELOAD_WATCHDOG_OUTSIDE_H

#include "preload/state/state.h"

/* One look at an iteration that may become a stall: samples it where nobody else does, and reports
 * it while it lasts. `since_ns`: since the look before. */
void lh_outside_tick(struct lh_slot *slot, uint64_t iteration_id, uint64_t since_ns);

#endif
