/* SPDX-License-Identifier: Apache-2.0 */
/* This process image: is it watched, and its start and end. Runs on the program's threads. */
#ifndef LH_PRELOAD_PROCESS_LIFECYCLE_H
#define LH_PRELOAD_PROCESS_LIFECYCLE_H

#include <stdbool.h>

#include "preload/state/state.h"

/* May this process be watched at all (LOOPHOUND_FOLLOW, nothing of ours failed)? */
bool lh_process_may_watch(void);

/* Makes this process a watched one at its first loop thread, in a child of fork anew: starts the
 * watchdog, which makes the ring. False: not possible. */
bool lh_process_start(void);

/* This process gets what may serve a loop that parks past libc, a thread or an epoll set: it is to
 * be looked at for one. errno stays. */
void lh_process_scout(void);

/* Ends the watching of this process: nothing of ours runs in it any more. */
void lh_process_leave(void);

/* Before the program puts itself under a filter of system calls by this one: ends the watching
 * where the filter would kill for a call of ours. */
void lh_process_before_filter(long number, long a, long b, long c, long d, long e);

/* Says "I was loaded" to `loophound run`, in our set-up. */
void lh_process_greet(void);

/* At a normal exit: waits at most 200 ms until what is in the ring has been written, and for the
 * watchdog to end. */
void lh_process_end(void);

/* At _exit(2), which a signal handler may call: what is in the ring gets a reader, who outlives
 * this process. */
void lh_process_end_at_once(void);

/* Waits until the collector has written all that is in the ring now: 0, -ETIMEDOUT, -ENOTCONN. */
int lh_process_flush(int64_t timeout_ns);

#endif
