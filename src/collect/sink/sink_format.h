/* SPDX-License-Identifier: Apache-2.0 */
/* What a format of reports has to offer; a new one is a row in sink.c. */
#ifndef LH_COLLECT_SINK_SINK_FORMAT_H
#define LH_COLLECT_SINK_SINK_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event.h"
#include "common/ring.h"

#define LH_SINK_BYTES (256u << 10) /* the longest report */

struct lh_output;
struct lh_output_news;

/* What a sink is made from. */
struct lh_sink_setup {
    const struct lh_ring
        *header;              /* a private, checked copy of the ring's header; outlives the sink */
    uint32_t main_tid;        /* the main thread, as the program counts */
    struct lh_output *output; /* outlives the sink */
    bool colour;              /* of text, where the output is a terminal */
    struct lh_output *kept;   /* gets all of it in JSON, too, whatever the options say; NULL: nobody
                                 wants that */
};

struct lh_sink_format {
    /* Its own state, made from the setup; NULL: out of memory. */
    void *(*new)(const struct lh_sink_setup *setup);
    void (*free)(void *state);

    /* Each puts whole lines into buf. Returns their length; 0: nothing to say. */
    size_t (*start)(void *state, char *buf, size_t size);
    size_t (*report)(void *state, const struct lh_report *report, char *buf, size_t size);
    size_t (*summary)(void *state, int64_t time_ns, const struct lh_quiet *quiet, char *buf,
                      size_t size);

    /* The last report was not written: what it has shown stands nowhere. May be NULL. */
    void (*lost)(void *state);

    /* The ids that the last report gave a meaning to; NULL: there are none.
     * May be NULL. */
    const struct lh_output_news *(*news)(void *state);
};

extern const struct lh_sink_format lh_sink_text;
extern const struct lh_sink_format lh_sink_json;

#endif
