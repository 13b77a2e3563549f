/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog: one thread of ours per process that looks at all loop threads.
 *
 * Made by a raw clone without libc's knowledge, so that a single-threaded program stays one for
 * glibc and for the kernel's descriptor table. It has a dummy thread-local storage, all signals
 * blocked and a descriptor table of its own. It ticks at a quarter of the threshold while a loop is
 * busy and sleeps on a futex while all are parked, unless they make turns all the time. */
#ifndef LH_PRELOAD_WATCHDOG_WATCHDOG_H
#define LH_PRELOAD_WATCHDOG_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"

/* Makes the watchdog look, starting it when there is none. Any thread of the program. */
void lh_watchdog_call(void);

/* The same, unless there is one that ticks: its next tick sees what is new. For a loop that begins,
 * as a program may make thousands of them. */
void lh_watchdog_call_if_idle(void);

/* Makes it look for loops that no wrapper sees (inline_find.h), in a process without a loop thread,
 * once. Any thread of the program; errno stays. */
void lh_watchdog_scout(void);

/* Time for its start and its end, which take less than a millisecond unless a busy machine lets it,
 * or the collector that it is starting, wait for a processor. In ns. */
#define LH_WATCHDOG_WAIT_NS LH_NS_PER_S

/* Ends it and waits until it is gone, at most so many ns: for what wants a process of the program's
 * own threads alone. Until the next park every call on a loop thread takes its end time itself. */
void lh_watchdog_stop(int64_t most_ns);

/* The same, and no thread starts it again until lh_watchdog_resume(), in a child of fork too, which
 * starts it itself where an iteration goes on and nobody is about to count threads: block.c; or
 * until the wrapper with this frame is left in another way: see nonlocal_exit.h. False: not held,
 * and not to be released. Any thread; errno stays. */
bool lh_watchdog_pause(uintptr_t frame);
void lh_watchdog_resume(void);

#endif
