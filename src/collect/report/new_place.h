/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a place that is in no baseline, to be told at the end of a run. Collector,
 * any thread, one at a time. */
#ifndef LH_COLLECT_REPORT_NEW_PLACE_H
#define LH_COLLECT_REPORT_NEW_PLACE_H

#include "common/event.h"
#include "common/rules.h"

/* A place that is in no baseline. Its texts are clean: lh_text_clean(). */
struct lh_new_place {
    char *rule; /* that stands for it: place_rule.h */
    char *what; /* the call, or "stall"; these behind it, in the same memory */
    const char *where;
    const char *resource; /* of the longest one, as "(socket to 10.0.0.7:443)"; "": none */
    const char *test;     /* in which it was; "": none */
    const char *advice;   /* with ruff's rule; "": none */
    uint64_t count;
    uint64_t total_ns;
    uint64_t worst_ns;
};

struct lh_new_place *lh_new_place_new(const char *rule); /* NULL: no memory */
void lh_new_place_free(struct lh_new_place *place);

/* Counts a report of it that has ended. What is said of it is that of the longest one; without
 * memory that of an earlier one. `facts`: of the report; `cwd`: where relative names begin. */
void lh_new_place_note(struct lh_new_place *place, const struct lh_rule_facts *facts,
                       const struct lh_report *report, const char *cwd);

#endif
