/* Times in which the whole process was held: by SIGSTOP, a debugger, a pause of the machine. What a
 * loop did not do then is nobody's fault.
 *
 * The watchdog notes them: it is heard of late, and has neither run nor waited for a processor. */
#ifndef LH_PRELOAD_STOPS_H
#define LH_PRELOAD_STOPS_H

#include <stdint.h>

/* The watchdog begins, or goes on after it has waited for others. Runs on it. */
void lh_stops_begin(void);

/* Around each sleep of the watchdog; asked_ns < 0: until it is called. Run on the watchdog only. */
void lh_stops_before(int64_t asked_ns);
void lh_stops_after(void);

/* Somebody wakes the watchdog. Any thread. */
void lh_stops_called(void);

/* How much of `elapsed_ns`, the time from `start` (a counter reading) until now, the process was
 * held, in ns, as far as that is known by now. Any thread. */
uint64_t lh_stops_within(uint64_t start, uint64_t elapsed_ns);

/* For how long, in ns, the watchdog should have been heard of and has not: the process has just
 * been let go, or the machine is busy. Any thread; asked before lh_stops_within() none is missed.
 */
uint64_t lh_stops_overdue(void);

#endif
