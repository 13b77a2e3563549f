/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a process's text: what it all came to. Collector only; one thread a sink. */
#ifndef LH_COLLECT_SINK_TEXT_SUMMARY_H
#define LH_COLLECT_SINK_TEXT_SUMMARY_H

#include "collect/sink/place_table.h"
#include "collect/sink/sink_format.h"
#include "collect/sink/text_parts.h"

/* Ends the line that has been begun with its sums, and adds the table of places. `totals` are what
 * the program has counted; what was `known` from the baseline is in them, and is left out. */
void lh_text_summary(struct lh_text *text, const struct lh_text_style *style,
                     const struct lh_totals *totals, const struct lh_quiet *quiet,
                     const struct lh_place_sums *known, struct lh_place_table *places);

#endif
