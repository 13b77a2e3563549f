/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog from its inside: it makes the ring, serves its reader, looks at the loops, or, in a
 * process without one, for a loop that no wrapper sees. watchdog.h starts and ends it. */
#ifndef LH_PRELOAD_WATCHDOG_WATCHDOG_THREAD_H
#define LH_PRELOAD_WATCHDOG_WATCHDOG_THREAD_H

#include <stdbool.h>

/* The thread's function; `argument` is not used. Returns, and with it the thread ends, when it was
 * asked to end or cannot do its part. */
int lh_watchdog_main(void *argument);

/* Says whether every call must take its end time itself: marks can be relied on when a call that
 * lasts the threshold is in flight at some tick. Any thread. */
void lh_watchdog_choose_timing(bool watchdog_runs);

/* Is it there to watch, and not to scout? Any thread. */
bool lh_watchdog_is_to_watch(void);

#endif
