/* What a format of reports has to offer; a new one is a row in sink.c. */
#ifndef LH_COLLECT_SINK_FORMAT_H
#define LH_COLLECT_SINK_FORMAT_H

#include "collect/sink.h"

struct lh_sink_format {
    /* Its own state, made from the setup; NULL: out of memory. */
    void *(*new)(const struct lh_sink_setup *setup);
    void (*free)(void *state);

    /* Each puts whole lines into buf. Returns their length; 0: nothing to say. */
    size_t (*start)(void *state, char *buf, size_t size);
    size_t (*report)(void *state, const struct lh_report *report, char *buf, size_t size);
    size_t (*summary)(void *state, int64_t time_ns, char *buf, size_t size);
};

extern const struct lh_sink_format lh_sink_text;
extern const struct lh_sink_format lh_sink_json;

#endif
