/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader of text reports has seen already: of a call in flight, and of a place. Collector
 * only; one thread a sink. */
#ifndef LH_COLLECT_SINK_HISTORY_H
#define LH_COLLECT_SINK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/sink/place_table.h"
#include "common/event.h"

struct lh_history;

/* Of one report. */
struct lh_seen {
    bool shown;   /* it was told before: a line at least */
    bool again;   /* the stack of its place was, with another one, less than a minute ago … */
    uint64_t nth; /* … which is its how manieth time */
    uint64_t as;  /* the number of that one */
    struct lh_place_row *row; /* NULL: there was no room */
};

struct lh_history *lh_history_new(const char *cwd); /* NULL: out of memory. `cwd` outlives it */
void lh_history_free(struct lh_history *history);

/* Counts a report. Once for each, in the order in which they came. */
struct lh_seen lh_history_add(struct lh_history *history, const struct lh_report *report);

/* The place of that report of strict mode was met again so often. */
void lh_history_repeat(struct lh_history *history, const struct lh_record *repeated);

/* It stands on the screen now, `whole`: with the stack of its place. */
void lh_history_show(struct lh_history *history, const struct lh_report *report,
                     const struct lh_seen *seen, bool whole);

/* Is the advice about its place to be shown with this report, which has it? Once, until a minute
 * has passed. */
bool lh_history_advise(const struct lh_report *report, const struct lh_seen *seen);

/* What was shown last is not on the screen after all: its stack is to be shown with the next one.
 */
void lh_history_lost(struct lh_history *history);

/* The places, with what has not ended up to now. */
struct lh_place_table *lh_history_places(struct lh_history *history);

#endif
