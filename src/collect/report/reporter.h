/* SPDX-License-Identifier: Apache-2.0 */
/* From a program's records to its reports: stacks, samples, holders and victims put together.
 *
 * Used by the thread of one ring. */
#ifndef LH_COLLECT_REPORT_REPORTER_H
#define LH_COLLECT_REPORT_REPORTER_H

#include <stdint.h>

#include "collect/report/judge.h"
#include "collect/sink/sink.h"
#include "collect/stack/stack.h"
#include "common/ring.h"

struct lh_reporter;

struct lh_reporter_setup {
    struct lh_ring *ring; /* shared; these five outlive the reporter */
    const struct lh_ring *header;
    struct lh_stacks *stacks;
    struct lh_sink *sink;
    struct lh_judge *judge;
    uint32_t main_tid; /* the main thread, as the program counts */
};

struct lh_reporter *lh_reporter_new(const struct lh_reporter_setup *setup); /* NULL: no memory */
void lh_reporter_free(struct lh_reporter *reporter);

/* Takes what was read at `position` of the ring: tells it, keeps it for a later one, or holds it
 * back for at most LH_PENDING_NS. Returns how many reports were lost for want of a sink. */
uint32_t lh_reporter_take(struct lh_reporter *reporter, const struct lh_record *checked,
                          uint64_t position);

/* Gives up what can be read again: source files, the map of made code. */
void lh_reporter_give_up(struct lh_reporter *reporter);

/* Tells what has been held back too long, or all of it. Returns as above. */
uint32_t lh_reporter_release(struct lh_reporter *reporter, bool all);

/* Nothing more is to be expected: tells what was in flight until now as a block or stall without an
 * end. Returns as above. */
uint32_t lh_reporter_end(struct lh_reporter *reporter);

/* Adds to the program's own totals those blocks and stalls, and nothing else. */
void lh_reporter_count(const struct lh_reporter *reporter, struct lh_totals *totals);

/* What was judged until now. */
const struct lh_judged *lh_reporter_judged(const struct lh_reporter *reporter);

#define LH_REPORTER_HELD 8u /* a record is told before so many behind it have been read */

/* Is a report held, which may be told with the next record, or as time goes by? */
bool lh_reporter_holds(const struct lh_reporter *reporter);

/* Up to where all has been told, of what was read up to `position`. */
uint64_t lh_reporter_reported(const struct lh_reporter *reporter, uint64_t position);

/* In how many ns something is to be released; at most `most_ns`. */
int64_t lh_reporter_due_ns(const struct lh_reporter *reporter, int64_t most_ns);

#endif
