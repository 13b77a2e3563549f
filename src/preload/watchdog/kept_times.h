/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of a loop thread's time, as it is read at every tick: from a descriptor that
 * stays open, in the watchdog's own table, which the program cannot close. A thread that has ended
 * is noticed: the kernel then reads nothing from it, even where another one has its number by now.
 * Runs on the watchdog. */
#ifndef LH_PRELOAD_WATCHDOG_KEPT_TIMES_H
#define LH_PRELOAD_WATCHDOG_KEPT_TIMES_H

#include <stdint.h>

#include "preload/state/state.h"

/* When the watchdog starts, which has none of the descriptors of an earlier one. */
void lh_kept_times_begin(void);

/* How long this thread, which has the slot, has waited for a processor: lh_proc_run_delay_ns().
 * Where no descriptor is to be had, or very many loops have one, the file is opened each time. */
uint64_t lh_kept_run_delay_ns(struct lh_slot *slot, uint32_t tid);

/* The slot has no thread: its descriptor, if there is one, is closed. */
void lh_kept_times_end(struct lh_slot *slot);

#endif
