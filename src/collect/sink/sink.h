/* SPDX-License-Identifier: Apache-2.0 */
/* A sink: how the reports of one program look, and the output they go to.
 *
 * Used by the thread of one ring at a time. */
#ifndef LH_COLLECT_SINK_SINK_H
#define LH_COLLECT_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/sink/sink_format.h"
#include "common/event.h"

struct lh_sink;

struct lh_sink *lh_sink_new(const struct lh_sink_setup *setup); /* NULL: out of memory */
void lh_sink_free(struct lh_sink *sink);

/* Each writes what there is to say, which may be nothing. 0, or a negative errno: it is lost. */
int lh_sink_start(struct lh_sink *sink);
int lh_sink_report(struct lh_sink *sink, const struct lh_report *report);

/* `time_ns`: CLOCK_REALTIME. Of the header's totals, from which what is quiet has been left out. */
int lh_sink_summary(struct lh_sink *sink, int64_t time_ns, const struct lh_quiet *quiet);

/* Is NO_COLOR set, for us or for the program? */
bool lh_sink_no_colour(pid_t pid);

#endif
