/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop thread waits for in Python's terms, and which threads may have it. Runs on the
 * watchdog: raw system calls, no libc state, no malloc. */
#ifndef LH_PRELOAD_WATCHDOG_CANDIDATES_H
#define LH_PRELOAD_WATCHDOG_CANDIDATES_H

#include "preload/python/awaited.h"
#include "preload/state/record.h"

/* Writes a record of it, for the reports of the call in flight with this id. The threads are told
 * where nobody is known to have it. */
void lh_candidates_report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t id,
                          const struct lh_python_awaited *awaited);

#endif
