/* SPDX-License-Identifier: Apache-2.0 */
/* Raw lines: what is written where no collector can be had. Runs on the watchdog. */
#ifndef LH_PRELOAD_READER_RAW_LINES_H
#define LH_PRELOAD_READER_RAW_LINES_H

#include "common/ring.h"

/* Writes what is in the ring to the output as JSON lines: stacks are the caller of libc as module,
 * offset and build-id, and the Python frames. Losses are counted in the totals. */
void lh_raw_lines_drain(struct lh_ring *ring);

/* Forgets the output's descriptor, for a new watchdog has a new table; with `new_ring` also how far
 * the old one was read. */
void lh_raw_lines_reset(bool new_ring);

#endif
