/* SPDX-License-Identifier: Apache-2.0 */
/* Times in which the whole process was held: by SIGSTOP, a debugger, a pause of the machine. What a
 * loop did not do then is nobody's fault.
 *
 * The watchdog notes them: it is heard of late, and has neither run nor waited for a processor. */
#ifndef LH_PRELOAD_STATE_SUSPENDS_H
#define LH_PRELOAD_STATE_SUSPENDS_H

#include <stdint.h>

/* The watchdog begins, or goes on after it has waited for others. Runs on it. */
void lh_suspends_begin(void);

/* Around each sleep of the watchdog; asked_ns < 0: until it is called. Run on the watchdog only. */
void lh_suspends_before(int64_t asked_ns);
void lh_suspends_after(void);

/* Somebody wakes the watchdog. Any thread. */
void lh_suspends_called(void);

/* What the watchdog sleeps for is done: from now on it is to be heard of. Runs while it sleeps, in
 * a process that shares its memory. */
void lh_suspends_served(void);

/* How much of `elapsed_ns`, the time from `start` (a counter reading) until now, the process was
 * held, in ns, as far as that is known by now. Any thread. */
uint64_t lh_suspends_within(uint64_t start, uint64_t elapsed_ns);

/* Before something is reported that may have been held: a process that was let go a moment ago has
 * its watchdog note that first, and gives it the processor for 10 ms at most. Returns for how long,
 * in ns, it should have been heard of all the same, unless it waits for a processor itself; 0: all
 * is noted, as lh_suspends_within() tells. Any thread but the watchdog; errno stays. */
uint64_t lh_suspends_settle(void);

#endif
