/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as JSON Lines. Runs on the threads of the rings; the format itself is in common/. */
#include <stdlib.h>
#include <string.h>

#include "collect/sink/output.h"
#include "collect/sink/sink_format.h"
#include "collect/sink/stack_book.h"
#include "common/event_json.h"

struct json_sink {
    const struct lh_ring *header;
    struct lh_output *output; /* NULL: a test's, which has none */
    bool once;                /* stacks are lines of their own */
    bool looked;              /* at the output, for that */
    struct lh_stack_lines stacks;
    struct lh_frame frames[LH_STACK_FRAMES_MAX / 2]; /* of a report that did not fit */
    char event[LH_SINK_BYTES];
};

static void *json_new(const struct lh_sink_setup *setup)
{
    struct json_sink *sink = calloc(1, sizeof(*sink));
    if (sink == NULL)
        return NULL;
    sink->header = setup->header;
    sink->output = setup->output;
    return sink;
}

static void json_free(void *state)
{
    struct json_sink *sink = state;
    lh_stack_lines_free(&sink->stacks);
    free(sink);
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

/* What reads a pipe may have come late, or keep nothing. */
static bool is_once(struct json_sink *sink)
{
    uint8_t form = sink->header->options.stacks;
    if (sink->looked || sink->output == NULL)
        return sink->once;
    sink->looked = true;
    sink->once =
        form == LH_STACKS_ONCE || (form == LH_STACKS_AUTO && lh_output_is_file(sink->output));
    return sink->once;
}

/* Half of the frames, of which the last says that it is not the outermost. */
static void cut_frames(struct json_sink *sink, struct lh_report *report)
{
    report->frame_count /= 2;
    if (report->frame_count == 0)
        return;
    memmove(sink->frames, report->frames, report->frame_count * sizeof(sink->frames[0]));
    sink->frames[report->frame_count - 1].cut = LH_CUT_FRAMES;
    report->frames = sink->frames;
}

/* The event, behind the lines of those of its stacks that the output does not have yet. */
static size_t write_once(struct json_sink *sink, struct lh_report *report, char *buf, size_t size)
{
    struct lh_json json;
    lh_stack_lines_begin(&sink->stacks, sink->output, report, buf, size);
    report->book = &sink->stacks.book;
    lh_json_init(&json, sink->event, sizeof(sink->event));
    lh_event_report(&json, sink->header->pid, report);
    size_t lines = finished(&sink->stacks.lines);
    if (sink->stacks.lines.overflow || finished(&json) > size - lines)
        return 0;
    memcpy(buf + lines, json.buf, finished(&json));
    return json.overflow ? 0 : lines + json.length;
}

static size_t write_inline(const struct json_sink *sink, const struct lh_report *report, char *buf,
                           size_t size)
{
    struct lh_json json;
    lh_json_init(&json, buf, size);
    lh_event_report(&json, sink->header->pid, report);
    return finished(&json);
}

/* What does not fit is written with fewer of its outer frames, and of the samples seen least, until
 * it does. */
static size_t json_report(void *state, const struct lh_report *report, char *buf, size_t size)
{
    struct json_sink *sink = state;
    struct lh_report shorter = *report;
    bool once = is_once(sink);
    for (;;) {
        size_t length =
            once ? write_once(sink, &shorter, buf, size) : write_inline(sink, &shorter, buf, size);
        if (length > 0 || (shorter.frame_count == 0 && shorter.sample_count == 0))
            return length;
        cut_frames(sink, &shorter);
        shorter.sample_count /= 2;
        shorter.group_count =
            shorter.sample_count < report->group_count ? shorter.sample_count : report->group_count;
        shorter.holder = NULL;
    }
}

/* Where the rules do not fit it goes without them: the counts matter most. */
static size_t json_summary(void *state, int64_t time_ns, const struct lh_quiet *quiet, char *buf,
                           size_t size)
{
    const struct json_sink *sink = state;
    struct lh_quiet counts = *quiet;
    struct lh_json json;
    lh_json_init(&json, buf, size);
    lh_event_summary(&json, sink->header, time_ns, quiet);
    if (json.overflow) {
        counts.rule_count = 0;
        lh_json_init(&json, buf, size);
        lh_event_summary(&json, sink->header, time_ns, &counts);
    }
    return finished(&json);
}

static const struct lh_output_news *json_news(void *state)
{
    const struct json_sink *sink = state;
    return sink->once ? &sink->stacks.news : NULL;
}

const struct lh_sink_format lh_sink_json = {
    .new = json_new,
    .free = json_free,
    .start = json_start,
    .report = json_report,
    .summary = json_summary,
    .news = json_news,
};
