/* SPDX-License-Identifier: Apache-2.0 */
/* A thread whose loop parks past libc meets the slot that the watchdog took for it: state/meet.h.
 */
#ifndef LH_PRELOAD_LOOP_MEET_H
#define LH_PRELOAD_LOOP_MEET_H

#include <stdbool.h>

/* Once, in our constructor: `ask` makes all wrapped calls ask, or no longer. */
void lh_meet_init(void (*ask)(bool on));

#endif
