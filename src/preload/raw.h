/* Raw lines: what is written where no collector can be had. Runs on the watchdog. */
#ifndef LH_PRELOAD_RAW_H
#define LH_PRELOAD_RAW_H

#include "common/ring.h"

/* Writes what is in the ring to the output as JSON lines: stacks are the caller of libc as module,
 * offset and build-id, and the Python frames. Losses are counted in the totals. */
void lh_raw_drain(struct lh_ring *ring);

/* Forgets the output's descriptor, for a new watchdog has a new table; with `new_ring` also how far
 * the old one was read. */
void lh_raw_reset(bool new_ring);

#endif
