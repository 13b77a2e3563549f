/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls and iterations that were told in flight have ended, whether anybody could tell so or
 * not. Runs on the watchdog. */
#ifndef LH_PRELOAD_WATCHDOG_TOLD_TICK_H
#define LH_PRELOAD_WATCHDOG_TOLD_TICK_H

#include "preload/state/state.h"

/* Looks at what a slot has told, also one whose thread is parked or has ended. */
void lh_told_tick(struct lh_slot *slot);

#endif
