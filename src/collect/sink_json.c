/* Reports as JSON Lines. Runs on the threads of the rings; the format itself is in common/. */
#include <stdlib.h>

#include "collect/sink_format.h"

struct json_sink {
    const struct lh_ring *header;
};

static void *json_new(const struct lh_sink_setup *setup)
{
    struct json_sink *sink = calloc(1, sizeof(*sink));
    if (sink != NULL)
        sink->header = setup->header;
    return sink;
}

static size_t finished(const struct lh_json *json)
{
    return json->overflow ? 0 : json->length;
}

static size_t json_start(void *state, char *buf, size_t size)
{
    const struct json_sink *sink = state;
    struct lh_json json;
    lh_json_init(&json, buf, size);
    lh_event_start(&json, sink->header);
    return finished(&json);
}

/* A line that does not fit is written with fewer of its outer frames, and of the samples seen
 * least, until it does. */
static size_t json_report(void *state, const struct lh_report *report, char *buf, size_t size)
{
    const struct json_sink *sink = state;
    struct lh_report shorter = *report;
    struct lh_json json;
    for (;;) {
        lh_json_init(&json, buf, size);
        lh_event_report(&json, sink->header->pid, &shorter);
        if (!json.overflow || (shorter.frame_count == 0 && shorter.sample_count == 0))
            return finished(&json);
        shorter.frame_count /= 2;
        shorter.sample_count /= 2;
        shorter.holder = NULL;
    }
}

static size_t json_summary(void *state, int64_t time_ns, char *buf, size_t size)
{
    const struct json_sink *sink = state;
    struct lh_json json;
    lh_json_init(&json, buf, size);
    lh_event_summary(&json, sink->header, time_ns);
    return finished(&json);
}

const struct lh_sink_format lh_sink_json = {
    .new = json_new,
    .free = free,
    .start = json_start,
    .report = json_report,
    .summary = json_summary,
};
