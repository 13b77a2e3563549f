/* SPDX-License-Identifier: Apache-2.0 */
/* Waking those that sleep until there is something to do: whoever reads the ring, and the watchdog.
 * Any thread of the program, signal handlers too; errno stays. */
#ifndef LH_PRELOAD_STATE_WAKE_H
#define LH_PRELOAD_STATE_WAKE_H

#include "preload/state/state.h"

/* The watchdog looks, now, if there is one. */
void lh_wake_watchdog(void);

/* An event waits in the ring and no collector reads it: the watchdog sees to that. Where there is
 * none it is started, and attaches, at the next park. */
void lh_wake_for_collector(void);

/* After a commit: wakes whoever reads the ring, or asks the watchdog for a collector. */
void lh_wake_reader(struct lh_ring *ring);

#endif
