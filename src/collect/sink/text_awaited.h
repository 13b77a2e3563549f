/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop thread waits for in Python's terms, as lines for people. Collector only; one thread a
 * sink. */
#ifndef LH_COLLECT_SINK_TEXT_AWAITED_H
#define LH_COLLECT_SINK_TEXT_AWAITED_H

#include "collect/sink/text_parts.h"

/* What stands before the holder's name: "the lock held by". NULL: of a lock of C's. */
void lh_text_held_by(struct lh_text *text, const struct lh_waits_for *waits_for);

/* A wait for itself, and who may have what has no owner; NULL: nothing. */
void lh_text_waits_for(struct lh_text *text, const struct lh_text_style *style,
                       const struct lh_ring *header, const struct lh_waits_for *waits_for);

/* Is it a wait for itself, or a deadlock? */
bool lh_waits_for_is_news(const struct lh_waits_for *waits_for);

#endif
