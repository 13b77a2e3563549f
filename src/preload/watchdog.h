/* The watchdog: one thread of ours per process that looks at all loop threads.
 *
 * Made by a raw clone without libc's knowledge, so that a single-threaded program stays one for
 * glibc and for the kernel's descriptor table. It has a dummy thread-local storage, all signals
 * blocked and a descriptor table of its own. It ticks at a quarter of the threshold while a loop is
 * busy and sleeps on a futex while all are parked. */
#ifndef LH_PRELOAD_WATCHDOG_H
#define LH_PRELOAD_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the watchdog look, starting it when there is none. Any thread of the program. */
void lh_watchdog_call(void);

/* An event waits in the ring and no collector reads it. Any thread. */
void lh_watchdog_want_collector(void);

/* Ends it and waits until it is gone, at most 100 ms: for what wants a process of the program's own
 * threads alone. Until the next park every call on a loop thread takes its end time itself. */
void lh_watchdog_stop(void);

/* The same, and no thread starts it again until lh_watchdog_release(), in a child of fork too; or
 * until the wrapper with this frame is left in another way: see leaving.h. False: not held, and not
 * to be released. Any thread; errno stays. */
bool lh_watchdog_hold(uintptr_t frame);
void lh_watchdog_release(void);

/* The kernel's name of a thread of this process; "" if it is gone. 16 bytes, terminated. */
void lh_watchdog_thread_name(uint32_t tid, char *name);

#endif
