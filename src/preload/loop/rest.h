/* SPDX-License-Identifier: Apache-2.0 */
/* The switch of our benchmarks: loop threads rest, and are none until they are to go on, so that
 * what they cost is compared within one process. Nobody else needs it.
 *
 * From outside (tests/bench/switch.py) lh_process->rests is set, and -1 is written over the epoll
 * set of each slot: the thread's next park is then an uncommon one, lh_park_find(), where the word
 * is looked at. So it costs nothing elsewhere. For loops on an epoll set. Runs on the program's
 * threads. */
#ifndef LH_PRELOAD_LOOP_REST_H
#define LH_PRELOAD_LOOP_REST_H

#include "preload/state/state.h"

/* Does the calling thread rest in this park, and until the next one? Its slot looks parked
 * meanwhile. */
bool lh_rest_in_park(void);

/* Has the calling thread rested, and goes on with its loop on this epoll set? It has its slot
 * again.
 */
bool lh_rest_ends(int epfd);

#endif
