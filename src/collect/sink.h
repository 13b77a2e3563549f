/* A sink: how the reports of one program look, and the output they go to.
 *
 * Used by the thread of one ring at a time. */
#ifndef LH_COLLECT_SINK_H
#define LH_COLLECT_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/output.h"
#include "common/event_json.h"
#include "common/ring.h"

struct lh_sink;

struct lh_sink_setup {
    const struct lh_ring
        *header;              /* a private, checked copy of the ring's header; outlives the sink */
    uint32_t main_tid;        /* the main thread, as the program counts */
    struct lh_output *output; /* outlives the sink */
    bool colour;              /* of text, where the output is a terminal */
};

struct lh_sink *lh_sink_new(const struct lh_sink_setup *setup); /* NULL: out of memory */
void lh_sink_free(struct lh_sink *sink);

/* Each writes what there is to say, which may be nothing. 0, or a negative errno: it is lost. */
int lh_sink_start(struct lh_sink *sink);
int lh_sink_report(struct lh_sink *sink, const struct lh_report *report);
int lh_sink_summary(struct lh_sink *sink, int64_t time_ns); /* CLOCK_REALTIME; header's totals */

/* Is NO_COLOR set, for us or for the program? */
bool lh_sink_no_colour(pid_t pid);

#endif
