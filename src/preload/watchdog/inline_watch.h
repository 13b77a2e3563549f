/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that park by system calls of their own, past libc (Rust's polling, Bun), seen from outside.
 * Runs on the watchdog, at each tick: it reads what the kernel says the thread waits in, and when
 * that is its epoll set, the thread is parked.
 *
 * Between two looks it may have parked unseen. An iteration goes on where it is certain that it has
 * not:
 *   - it stands in the same wait, and has not been given a processor since; or it is in the same
 *     call of a wrapper; or
 *   - it has not come by the instruction behind its park, where there is a tripwire (trip.h).
 * Else a new one has begun. So a busy loop is not taken for one that is stuck; durations are too
 * short by two ticks at most, and never too long. */
#ifndef LH_PRELOAD_WATCHDOG_INLINE_WATCH_H
#define LH_PRELOAD_WATCHDOG_INLINE_WATCH_H

#include "preload/state/state.h"
#include "preload/sys/proc.h"

/* Is this a wait for events, and on which set? */
bool lh_inline_is_park(const struct lh_thread_wait *wait, int32_t *epfd);

/* When the watchdog starts, which has none of the descriptors of an earlier one. */
void lh_inline_watch_begin(void);

/* Makes the watchdog tell of this slot's thread, which waits so. */
void lh_inline_take(struct lh_slot *slot, int32_t epfd, const struct lh_thread_wait *wait);

/* A look at such a thread. False: it has ended, and the slot is free. */
bool lh_inline_tick(struct lh_slot *slot);

/* The end of that look, after what is told of it. */
void lh_inline_seen(struct lh_slot *slot);

#endif
