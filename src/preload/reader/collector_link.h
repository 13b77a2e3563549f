/* SPDX-License-Identifier: Apache-2.0 */
/* The ring and whoever reads it: the collector of `loophound run`, one started by us, or, where
 * none can be had, the watchdog itself, which then writes raw lines.
 *
 * Runs on the watchdog only, whose descriptor table holds the ring's memfd and the collector's
 * socket. */
#ifndef LH_PRELOAD_READER_COLLECTOR_LINK_H
#define LH_PRELOAD_READER_COLLECTOR_LINK_H

#include <stdbool.h>

/* Makes the ring of this process, or takes up the one that an earlier watchdog left. `problem`:
 * what else cannot be seen, a line; NULL: nothing. False: no memory, no memfd. */
bool lh_link_make_ring(const char *problem);

/* At every look of the watchdog: finds a reader when one is wanted, notices that it has gone,
 * drains the ring in raw mode. */
void lh_link_serve(void);

/* The same for the last time. Where the program ends without waiting for its reader, by _exit:
 * waits until one that was started has the ring, or is of no use, at most 190 ms. */
void lh_link_finish(void);

/* The watchdog ends: passes on what the collector has had to say. */
void lh_link_end(void);

/* Makes room in a ring that nobody reads yet: what was sampled of iterations that were no stalls.
 */
void lh_link_forget_samples(void);

#endif
