/* SPDX-License-Identifier: Apache-2.0 */
/* Who has what a loop thread waits for: the owner of a mutex, of a read-write lock that is held for
 * writing or of Python's RLock, the holder of CPython's GIL, the thread that is joined or runs a
 * future. Whoever will post a semaphore or signal a condition is not known, and not guessed: those
 * who may are candidates (candidates.h). Runs on the watchdog: raw system calls, no libc state, no
 * malloc. */
#ifndef LH_PRELOAD_WATCHDOG_HOLDER_H
#define LH_PRELOAD_WATCHDOG_HOLDER_H

#include "preload/state/record.h"

/* Writes a record about the holder, and one about what is waited for in Python's terms, for the
 * reports of the call in flight with this id; 0: for the stall that the iteration of `slot` may
 * become. Nothing, where there is none. */
void lh_holder_report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t id);

#endif
