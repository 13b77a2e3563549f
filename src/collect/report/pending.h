/* SPDX-License-Identifier: Apache-2.0 */
/* Reports that wait for their victims: a moment, in the order in which they came.
 *
 * Used by the thread of one ring. */
#ifndef LH_COLLECT_REPORT_PENDING_H
#define LH_COLLECT_REPORT_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"
#include "common/units.h"

/* A loop whose iteration goes on for longer, or that never parks again, does not keep its reports
 * from being read. */
#define LH_PENDING_NS (50 * LH_NS_PER_MS)

struct lh_pending;

/* One report that is, or was, pending. */
struct lh_pending_report {
    struct lh_record *record; /* NULL: there is none; else whoever takes it out frees it */
    uint64_t position;        /* in the ring */
    int64_t until_ns;         /* CLOCK_MONOTONIC: then it is to be told without them */
};

struct lh_pending *lh_pending_new(void); /* NULL: out of memory */
void lh_pending_free(struct lh_pending *pending);

/* Keeps a copy of the record until LH_PENDING_NS after `now_ns`. False: no memory, or too many. */
bool lh_pending_add(struct lh_pending *pending, const struct lh_record *record, uint64_t position,
                    int64_t now_ns);

/* The one that has been held longest; its record stays ours. */
struct lh_pending_report lh_pending_oldest(const struct lh_pending *pending);

/* Is a stall of this thread among them? */
bool lh_pending_has_stall(const struct lh_pending *pending, uint32_t tid);

/* Takes out the oldest one of this thread, or, with tid 0, of any. */
struct lh_pending_report lh_pending_take(struct lh_pending *pending, uint32_t tid);

#endif
