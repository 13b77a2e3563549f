/* SPDX-License-Identifier: Apache-2.0 */
/* What has been told in flight and has not ended yet, as it was told last: a block or stall without
 * an end, should the program go first.
 *
 * Used by the thread of one ring, which the program may write anything to. */
#ifndef LH_COLLECT_REPORT_UNENDED_H
#define LH_COLLECT_REPORT_UNENDED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/ring.h"

struct lh_unended_list;

struct lh_unended {
    struct lh_record *record; /* without its copied stack */
    struct lh_frame *frames;
    uint32_t frame_count;
    bool told; /* as one that has not ended */
};

struct lh_unended_list *lh_unended_new(void); /* NULL: out of memory */
void lh_unended_free(struct lh_unended_list *list);

/* Keeps what is told in flight in the place of what was told of it before; what has ended without
 * a word, as `ring` knows, makes room. Left out when there is no memory. */
void lh_unended_put(struct lh_unended_list *list, const struct lh_ring *ring,
                    const struct lh_record *record, const struct lh_frame *frames,
                    uint32_t frame_count);

/* It has ended. True: that comes too late, it was told as one without an end. */
bool lh_unended_end(struct lh_unended_list *list, uint64_t id);

/* Has it been told as one without an end? Then nothing more is to be said of it. */
bool lh_unended_was_told(const struct lh_unended_list *list, uint64_t id);

/* The next one of which `ring` knows no end and that has not been told so; marks it told. NULL:
 * there is none. */
const struct lh_unended *lh_unended_next(struct lh_unended_list *list, const struct lh_ring *ring);

/* Adds those that were told as such to the totals, and those that only `ring` knows of. */
void lh_unended_count(const struct lh_unended_list *list, const struct lh_ring *ring,
                      struct lh_totals *totals);

#endif
