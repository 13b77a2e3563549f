/* SPDX-License-Identifier: Apache-2.0 */
/* The holders that were seen lately, until what they hold up is told. Used by the thread of one
 * ring. */
#ifndef LH_COLLECT_REPORT_HOLDERS_H
#define LH_COLLECT_REPORT_HOLDERS_H

#include "common/event.h"
#include "common/record.h"

struct lh_holders;

struct lh_holders *lh_holders_new(void); /* NULL: out of memory */
void lh_holders_free(struct lh_holders *holders);

/* Keeps a holder in place of an earlier one of the same wait. Left out when there is no memory. */
void lh_holders_add(struct lh_holders *holders, const struct lh_record *record,
                    const struct lh_frame *frames, uint32_t frame_count);

/* The holder of what this block or stall waited for, or NULL; valid until the next call. */
const struct lh_holder *lh_holders_find(const struct lh_holders *holders,
                                        const struct lh_record *record);

/* The same of what is waited for in Python's terms. `frames` are those of the candidates, one
 * behind the other; of each the first of the user's code is kept, and no candidate that has none.
 */
void lh_holders_add_awaited(struct lh_holders *holders, const struct lh_record *record,
                            const struct lh_frame *frames);
const struct lh_waits_for *lh_holders_find_awaited(const struct lh_holders *holders,
                                                   const struct lh_record *record);

#endif
