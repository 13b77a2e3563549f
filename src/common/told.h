/* SPDX-License-Identifier: Apache-2.0 */
/* What is told in flight, in the ring: the ids of calls and iterations of which no end is known.
 * They outlive the program, so that what never ended is counted, and what did is not, though its
 * end may have been lost.
 *
 * In the program any thread, its signal handlers too; in the collector the thread of a ring. No
 * malloc, no system calls, no locks. */
#ifndef LH_COMMON_TOLD_H
#define LH_COMMON_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ring.h"

enum lh_told_kind { LH_TOLD_CALL, LH_TOLD_ITERATION };

/* It is told for the first time. Where there is no room for the id, its end is taken for known. */
void lh_told_begin(struct lh_ring *ring, uint64_t id, enum lh_told_kind kind);

/* It has ended; 0 and what was never told may be said too. */
void lh_told_end(struct lh_ring *ring, uint64_t id);

/* Is it without an end, as far as the program knows? */
bool lh_told_lasts(const struct lh_ring *ring, uint64_t id);

/* The id at `index` (below LH_RING_TOLD) and its kind; 0: none. */
uint64_t lh_told_at(const struct lh_ring *ring, uint32_t index, enum lh_told_kind *kind);

#endif
