/* SPDX-License-Identifier: Apache-2.0 */
/* What rules ask about, of one report. Collector and command, any thread. */
#ifndef LH_COLLECT_REPORT_FACTS_H
#define LH_COLLECT_REPORT_FACTS_H

#include "common/rules.h"

/* With the texts that the facts point into, beside those of the report. */
struct lh_facts {
    struct lh_rule_facts of;
    char thread[LH_THREAD_NAME + 1];
    char text[sizeof(((struct lh_resource *)NULL)->text) + 1];
    char peer[128];
};

/* Of a block or stall, also of one in flight: the stack that is shown first is looked at.
 * `main_tid`: the program's main thread. */
void lh_facts_take(struct lh_facts *facts, const struct lh_report *report, uint32_t main_tid);

/* Finds `at` and `place` among the frames. */
void lh_facts_place(struct lh_rule_facts *facts, const struct lh_frame *frames, uint32_t count);

/* The kind of a descriptor whose name in /proc/PID/fd is this; NULL: not known. */
const char *lh_facts_descriptor(const char *name);

#endif
