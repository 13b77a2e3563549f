/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks: formats into a buffer, the buffer to an output. Runs on the threads of the rings. */
#include "collect/sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/sink/output.h"
#include "common/text.h"

#define TRIES_MAX 3 /* where the output's file is another one each time */

#define LOOPS_MAX 4096u /* as many as a program has at once: told whatever the limit is */

struct lh_sink {
    const struct lh_sink_format *format;
    void *state;
    struct lh_output *output;
    struct lh_bucket share; /* of the output's limit */
    uint32_t loops;         /* told, up to LOOPS_MAX */
    bool whole;             /* there is no limit: nothing is left out, and places are told once */
    struct lh_sink *kept;   /* gets the same; what it loses is nobody's loss. NULL: there is none */
    char buf[LH_SINK_BYTES];
};

static struct lh_sink *new_sink(const struct lh_sink_setup *setup, enum lh_format format)
{
    static const struct lh_sink_format *const formats[] = {
        [LH_FORMAT_TEXT] = &lh_sink_text, [LH_FORMAT_JSON] = &lh_sink_json};
    struct lh_sink *sink = calloc(1, sizeof(*sink));
    if (sink == NULL)
        return NULL;
    sink->format = formats[format];
    sink->output = setup->output;
    sink->whole = lh_options_tell_once(&setup->header->options);
    sink->state = sink->format->new (setup);
    if (sink->state != NULL)
        return sink;
    free(sink);
    return NULL;
}

struct lh_sink *lh_sink_new(const struct lh_sink_setup *setup)
{
    struct lh_sink *sink = new_sink(setup, lh_options_format(&setup->header->options));
    if (sink == NULL || setup->kept == NULL)
        return sink;
    const struct lh_sink_setup kept = {
        .header = setup->header, .main_tid = setup->main_tid, .output = setup->kept};
    sink->kept = new_sink(&kept, LH_FORMAT_JSON);
    if (sink->kept != NULL) {
        sink->kept->whole = true;
        return sink;
    }
    lh_sink_free(sink);
    return NULL;
}

void lh_sink_free(struct lh_sink *sink)
{
    if (sink == NULL)
        return;
    lh_sink_free(sink->kept);
    sink->format->free(sink->state);
    free(sink);
}

static int put_out(struct lh_sink *sink, size_t length)
{
    return length > 0 ? lh_output_write(sink->output, sink->buf, length) : 0;
}

int lh_sink_start(struct lh_sink *sink)
{
    if (sink->kept != NULL)
        (void)lh_sink_start(sink->kept);
    return put_out(sink, sink->format->start(sink->state, sink->buf, sizeof(sink->buf)));
}

static const struct lh_output_news *news_of(const struct lh_sink *sink)
{
    return sink->format->news != NULL ? sink->format->news(sink->state) : NULL;
}

/* Few and short, and what follows cannot be understood without them. */
static bool is_told_anyway(struct lh_sink *sink, const struct lh_report *report)
{
    return report->record->type == LH_EVENT_LOOP && sink->loops < LOOPS_MAX && ++sink->loops > 0;
}

int lh_sink_report(struct lh_sink *sink, const struct lh_report *report)
{
    if (sink->kept != NULL)
        (void)lh_sink_report(sink->kept, report);
    bool anyway = is_told_anyway(sink, report);
    struct lh_bucket *share = sink->whole ? NULL : &sink->share;
    int error = -ESTALE;
    for (int tries = 0; error == -ESTALE && tries < TRIES_MAX; tries++) {
        size_t length = sink->format->report(sink->state, report, sink->buf, sizeof(sink->buf));
        error = anyway || length == 0
                    ? put_out(sink, length)
                    : lh_output_write_report(sink->output, share, sink->buf, length, news_of(sink));
    }
    if (error != 0 && sink->format->lost != NULL)
        sink->format->lost(sink->state);
    return error;
}

int lh_sink_summary(struct lh_sink *sink, int64_t time_ns, const struct lh_quiet *quiet)
{
    if (sink->kept != NULL)
        (void)lh_sink_summary(sink->kept, time_ns, quiet);
    return put_out(
        sink, sink->format->summary(sink->state, time_ns, quiet, sink->buf, sizeof(sink->buf)));
}

/* NO_COLOR (no-color.org) as the program has it: a collector that it started has no environment. */
bool lh_sink_no_colour(pid_t pid)
{
    char environment[16384];
    char name[64];
    if (getenv("NO_COLOR") != NULL)
        return true;
    (void)snprintf(name, sizeof(name), "/proc/%d/environ", pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, environment, sizeof(environment) - 1);
    close(fd);
    environment[length > 0 ? length : 0] = '\0';
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(environment + at) + 1)
        if (lh_starts_with(environment + at, "NO_COLOR="))
            return true;
    return false;
}
