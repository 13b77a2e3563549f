/* SPDX-License-Identifier: Apache-2.0 */
/* The library's set-up, once per process image. Runs on the program's threads. */
#ifndef LH_PRELOAD_PROCESS_SETUP_H
#define LH_PRELOAD_PROCESS_SETUP_H

#include <stdbool.h>

/* Sets up what loops need: options, clock, the state's memory; says "I was loaded". Called by our
 * constructor, and at a park before it: constructors of other libraries, which run first, may have
 * loops. True: it is done, now or long since. False: another thread is at it, or a signal handler
 * has interrupted it; whoever asks goes on unwatched and asks again at the next park. All signals
 * are held off meanwhile. Looks up symbols (sys/symbols.h); getenv(3). */
bool lh_setup(void);

/* The same for our constructor, which must not return before it is done: waits, at most a second,
 * for another thread that is at it. */
void lh_setup_finish(void);

#endif
