/* This process image: is it watched, and its start and end. Runs on the program's threads. */
#ifndef LH_PRELOAD_PROCESS_H
#define LH_PRELOAD_PROCESS_H

#include <stdbool.h>

#include "preload/state.h"

/* Once, in our set-up: options from the environment, LOOPHOUND_FOLLOW, the state's memory. */
void lh_process_init(void);

/* May this process be watched at all (LOOPHOUND_FOLLOW, nothing of ours failed)? */
bool lh_process_may_watch(void);

/* Makes this process a watched one at its first loop thread, in a child of fork anew: starts the
 * watchdog, which makes the ring. False: not possible. */
bool lh_process_start(void);

/* Ends the watching of this process: nothing of ours runs in it any more. */
void lh_process_leave(void);

/* Do the `start` and `loop` events go where somebody reads them at once (JSON, or under `loophound
 * run`), so that a collector is wanted before there is a block? */
bool lh_process_shows_loops(void);

/* Absolute path of the collector's executable, or NULL: LOOPHOUND_COLLECTOR=none. */
const char *lh_process_collector(void);

/* Path of the socket of `loophound run`, or NULL. */
const char *lh_process_run_socket(void);

/* /proc/self/exe and the working directory as they were at the start. */
const char *lh_process_exe(void);
const char *lh_process_cwd(void);

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
