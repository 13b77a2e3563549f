/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a place that is in no baseline, to be told at the end of a run. Collector,
 * any thread, one at a time. */
#ifndef LH_COLLECT_REPORT_NEW_PLACE_H
#define LH_COLLECT_REPORT_NEW_PLACE_H

#include "collect/report/judge.h"
#include "common/event.h"
#include "common/rules.h"

struct lh_new_place *lh_new_place_new(const char *rule); /* NULL: no memory */
void lh_new_place_free(struct lh_new_place *place);

/* Counts a report of it that has ended. What is said of it is that of the longest one; without
 * memory that of an earlier one. `facts`: of the report; `cwd`: where relative names begin. */
void lh_new_place_note(struct lh_new_place *place, const struct lh_rule_facts *facts,
                       const struct lh_report *report, const char *cwd);

#endif
