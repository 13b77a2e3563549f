/* SPDX-License-Identifier: Apache-2.0 */
/* The timers that sample loop threads. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_SAMPLE_TIMER_H
#define LH_PRELOAD_WATCHDOG_SAMPLE_TIMER_H

#include "preload/state/state.h"

/* Begins to sample the iteration `iteration_id`, if that is not done yet, and sets its timer. Of
 * signals that the program handles, ignores or blocks none is taken: slot->no_signal says why there
 * is no timer. */
void lh_sample_timer_start(struct lh_slot *slot, uint64_t iteration_id);

#endif
