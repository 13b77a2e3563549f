/* Who has what a loop thread waits for: the owner of a mutex or of a read-write lock that is held
 * for writing, the holder of CPython's GIL. Whoever will post a semaphore or signal a condition is
 * not known, and not guessed. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#ifndef LH_PRELOAD_HOLDER_H
#define LH_PRELOAD_HOLDER_H

#include "preload/report.h"

/* Writes a record about the holder, for the reports of the call in flight with this id; 0: for the
 * stall that the iteration of `slot` may become. Nothing, where there is none. */
void lh_holder_report(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t id);

#endif
