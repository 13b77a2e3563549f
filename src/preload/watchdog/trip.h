/* SPDX-License-Identifier: Apache-2.0 */
/* A tripwire: has a thread come by an instruction? Runs on the watchdog.
 *
 * A breakpoint of the processor's, which the kernel sets for this one thread and takes away when
 * the thread first comes by (perf_event_open(2), PERF_TYPE_BREAKPOINT). Nothing of the program's is
 * changed; the thread loses some microseconds, once for each time it is set. */
#ifndef LH_PRELOAD_WATCHDOG_TRIP_H
#define LH_PRELOAD_WATCHDOG_TRIP_H

#include <stdbool.h>
#include <stdint.h>

/* Sets one. Returns a descriptor, or a negative errno: the kernel allows none. */
int lh_trip_set(uint32_t tid, uintptr_t instruction);

/* Has the thread come by since? */
bool lh_trip_has_tripped(int trip);

void lh_trip_take(int trip);

/* What is not seen where there can be none. */
#define LH_NO_TRIP                                                                                 \
    "a loop waits past libc, and the kernel lets nobody see when (kernel.perf_event_paranoid, "    \
    "seccomp): what it computes is not watched, only what it waits for"

#endif
