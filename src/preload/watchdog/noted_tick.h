/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a call waits for, where that is gone when the call has ended: a child's command line, a
 * thread's name. Runs on the watchdog. */
#ifndef LH_PRELOAD_WATCHDOG_NOTED_TICK_H
#define LH_PRELOAD_WATCHDOG_NOTED_TICK_H

#include "preload/state/record.h"

/* Looks at a call in flight that may wait for a child or a thread; into slot->noted. Once, and once
 * more before each report: a child has another command line when it has called execve(2), and
 * threads give themselves their names. */
void lh_noted_tick(struct lh_slot *slot, const struct lh_call_copy *copy, bool again);

#endif
