/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of Chrome's traces, which Perfetto, chrome://tracing and Firefox's profiler read: one
 * slice a block or stall. A stall is as long as its iteration, with its blocks inside; args.ms is
 * what it took by itself. Slices of a thread nest, for readers throw away what does not.
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU */
#include <errno.h>
#include <stdlib.h>

#include "cli/export/formats.h"
#include "cli/export/put.h"
#include "cli/export/timeline.h"
#include "common/units.h"
#include "common/version.h"

#define DEEPEST 64u /* slices in one another */

/* The ends of the slices that are around the next one, innermost last. */
struct nest {
    int64_t ends_ns[DEEPEST];
    uint32_t depth;
    int64_t last_ns; /* begin of the last slice */
};

/* Moves the begin or the end so that the slice is inside, or behind, what there is. */
static void fit(struct nest *nest, int64_t *start_ns, int64_t *end_ns)
{
    if (*start_ns < nest->last_ns)
        *start_ns = nest->last_ns;
    while (nest->depth > 0 && nest->ends_ns[nest->depth - 1] < *end_ns) {
        if (*start_ns < nest->ends_ns[nest->depth - 1])
            *start_ns = nest->ends_ns[nest->depth - 1];
        nest->depth--;
    }
    while (nest->depth > 0 && nest->ends_ns[nest->depth - 1] <= *start_ns)
        nest->depth--;
    if (*end_ns < *start_ns)
        *end_ns = *start_ns;
    if (nest->depth < DEEPEST)
        nest->ends_ns[nest->depth++] = *end_ns;
    nest->last_ns = *start_ns;
}

static void put_where(struct lh_put *put, const struct lh_export_model *model,
                      const struct lh_export_event *event)
{
    if (event->place == LH_EXPORT_NO_PLACE)
        return;
    const struct lh_export_place *place = &model->places[event->place];
    lh_put_text(put, "where", lh_export_text(model, place->where));
    lh_put_text(put, "source", lh_export_text(model, place->source));
    lh_put_text(put, "advice", lh_export_text(model, place->advice));
    lh_put_text(put, "rule", lh_export_text(model, place->rule));
}

static void put_split(struct lh_put *put, const struct lh_export_split *split)
{
    lh_put_millis(put, "oncpu_ms", split->oncpu_ns);
    lh_put_millis(put, "blocked_ms", split->blocked_ns);
    lh_put_millis(put, "runqueue_ms", split->runqueue_ns);
    lh_put_millis(put, "gil_ms", split->gil_ns);
}

static void put_args(struct lh_put *put, const struct lh_export_model *model,
                     const struct lh_export_event *event)
{
    lh_put_key(put, "args");
    lh_put_open(put, '{');
    lh_put_millis(put, "ms", event->weight_ns);
    if (event->count > 1)
        lh_put_number(put, "count", event->count);
    put_where(put, model, event);
    lh_put_text(put, "resource", lh_export_text(model, event->resource));
    lh_put_text(put, "holder", lh_export_text(model, event->holder));
    lh_put_text(put, "task", lh_export_text(model, event->task));
    lh_put_text(put, "test", lh_export_text(model, event->test));
    lh_put_text(put, "trace_id", lh_export_text(model, event->trace));
    lh_put_text(put, "labels", lh_export_text(model, event->labels));
    lh_put_text(put, "errno", lh_export_text(model, event->error));
    if (event->victims > 0)
        lh_put_number(put, "waiting", event->victims);
    if (event->split != LH_EXPORT_NO_SPLIT)
        put_split(put, &model->splits[event->split]);
    lh_put_close(put, '}');
}

static void put_slice(struct lh_put *put, const struct lh_export_model *model,
                      const struct lh_export_event *event, struct nest *nest)
{
    const struct lh_export_thread *thread = &model->threads[event->thread];
    int64_t start_ns = event->start_ns - model->totals.first_ns;
    int64_t end_ns = event->end_ns - model->totals.first_ns;
    fit(nest, &start_ns, &end_ns);
    lh_put_open(put, '{');
    lh_put_text(put, "ph", "X");
    lh_put_text(put, "name", lh_export_what(model, event->call));
    lh_put_text(put, "cat", event->group != 0 ? lh_export_text(model, event->group) : "stall");
    lh_put_number(put, "pid", model->processes[thread->process].pid);
    lh_put_number(put, "tid", thread->tid);
    lh_put_key(put, "ts");
    lh_put_us(put, (uint64_t)start_ns);
    lh_put_key(put, "dur");
    lh_put_us(put, (uint64_t)(end_ns - start_ns));
    put_args(put, model, event);
    lh_put_close(put, '}');
    fputc('\n', put->to);
}

static void put_name(struct lh_put *put, const char *what, uint32_t pid, uint32_t tid,
                     const char *name)
{
    lh_put_open(put, '{');
    lh_put_text(put, "ph", "M");
    lh_put_text(put, "name", what);
    lh_put_number(put, "pid", pid);
    lh_put_number(put, "tid", tid);
    lh_put_number(put, "ts", 0);
    lh_put_key(put, "args");
    lh_put_open(put, '{');
    lh_put_key(put, "name");
    lh_put_string(put, name);
    lh_put_close(put, '}');
    lh_put_close(put, '}');
    fputc('\n', put->to);
}

static void put_thread(struct lh_put *put, const struct lh_export_model *model,
                       const uint32_t *events, uint32_t count)
{
    char room[16];
    struct nest nest = {.last_ns = 0};
    uint32_t number = model->events[events[0]].thread;
    const struct lh_export_thread *thread = &model->threads[number];
    uint32_t pid = model->processes[thread->process].pid;
    put_name(put, "process_name", pid, thread->tid, lh_process_name(model, thread->process));
    put_name(put, "thread_name", pid, thread->tid, lh_thread_name(model, number, room));
    for (uint32_t i = 0; i < count; i++)
        put_slice(put, model, &model->events[events[i]], &nest);
}

int lh_export_perfetto(const struct lh_export_model *model, FILE *to)
{
    uint32_t count;
    struct lh_put put = {.to = to};
    uint32_t *events = lh_timeline_new(model, &count);
    if (events == NULL)
        return -ENOMEM;
    lh_put_open(&put, '{');
    lh_put_text(&put, "displayTimeUnit", "ms");
    lh_put_key(&put, "otherData");
    lh_put_open(&put, '{');
    lh_put_text(&put, "exporter", "loophound " LH_VERSION);
    if (count > 0)
        lh_put_number(&put, "start_us", (uint64_t)(model->totals.first_ns / LH_NS_PER_US));
    lh_put_close(&put, '}');
    lh_put_key(&put, "traceEvents");
    lh_put_open(&put, '[');
    for (uint32_t at = 0, run; at < count; at += run) {
        run = lh_timeline_run(model, events + at, count - at);
        put_thread(&put, model, events + at, run);
    }
    lh_put_close(&put, ']');
    lh_put_close(&put, '}');
    fputc('\n', to);
    free(events);
    return 0;
}
