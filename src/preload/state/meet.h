/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that was found to be a loop thread learns it: its wrappers look at a thread-local
 * pointer that only the thread itself may write. So that this costs nothing where no loop was
 * found, the wrappers are not changed: while there is one that does not know, each real function
 * stands behind a function that asks first (wrap/wrapping.h, MEETING).
 *
 * The rooms that know how are further up, so they leave their functions here. */
#ifndef LH_PRELOAD_STATE_MEET_H
#define LH_PRELOAD_STATE_MEET_H

#include <stdbool.h>

#include "preload/sys/compiler.h"

/* Makes all wrapped calls ask, or no longer. Runs on the watchdog. */
extern LH_HIDDEN void (*lh_meet_ask)(bool ask);

/* The calling thread asks: is it one? True: it has just learnt it. Any thread of the program,
 * signal handlers too; errno stays. */
extern LH_HIDDEN bool (*lh_meet)(void);

#endif
