/* SPDX-License-Identifier: Apache-2.0 */
/* The timers that sample loop threads. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_SAMPLE_TIMER_H
#define LH_PRELOAD_WATCHDOG_SAMPLE_TIMER_H

#include "preload/state/state.h"

/* At each look at the iteration `iteration_id`: begins to sample it, if that is not done yet, and
 * sets its timer; puts that off where the thread waits. It has run for `ran_ns` since the look
 * before. Of signals that the program handles, ignores or blocks none is taken: slot->no_signal
 * says why there is no timer. */
void lh_sample_timer_tick(struct lh_slot *slot, uint64_t iteration_id, uint64_t ran_ns);

#endif
