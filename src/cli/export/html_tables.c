/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the HTML report, as html/data.js reads them. See html.h. */
#include <inttypes.h>

#include "cli/export/html.h"
#include "common/units.h"

void lh_html_put_text(FILE *to, const char *text)
{
    fputc('"', to);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool line_end = at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9);
        if (line_end)
            fprintf(to, "\\u20%02x", at[2] - 0x80);
        else if (*at < ' ' || *at == 0x7f || *at == '<' || *at == '>' || *at == '&')
            fprintf(to, "\\u%04x", *at);
        else
            fprintf(to, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
        at += line_end ? 2 : 0;
    }
    fputc('"', to);
}

/* enum lh_frame_kind as the page knows it: the user's, a library's, the machinery's. */
static int whose(const struct lh_export_frame *frame)
{
    switch (frame->kind) {
    case LH_FRAME_USER:
    case LH_FRAME_OWN_NATIVE:
    case LH_FRAME_GENERATED:
        return 0;
    case LH_FRAME_INTERPRETER:
    case LH_FRAME_RUNTIME:
    case LH_FRAME_LIBC:
        return 2;
    default:
        return 1;
    }
}

/* A number of a row, behind others. */
static void put(struct lh_html *html, uint64_t number)
{
    fprintf(html->to, ",%" PRIu64, number);
}

static void put_string(struct lh_html *html, uint32_t string)
{
    put(html, lh_html_string(html, string));
}

static void put_us(struct lh_html *html, uint64_t ns)
{
    put(html, ns / LH_NS_PER_US);
}

/* "[", and a row's first number. */
static void open_row(struct lh_html *html, bool first, uint64_t number)
{
    fprintf(html->to, "%s[%" PRIu64, first ? "" : ",\n", number);
}

void lh_html_put_frames(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    fputs("[[0,0,0,0,0,0,0]", html->to);
    for (uint32_t i = 1; i < model->frame_count; i++) {
        const struct lh_export_frame *frame = &model->frames[i];
        if (html->frames[i] == 0)
            continue;
        open_row(html, false, lh_html_string(html, frame->name));
        put_string(html, frame->file != 0 ? frame->file : frame->module);
        put(html, frame->file != 0 ? frame->line : 0);
        put(html, (uint64_t)whose(frame));
        put_string(html, frame->source);
        put_string(html, frame->library);
        put_string(html, frame->version);
        put(html, (frame->inlined ? 1 : 0) + (frame->user ? 2 : 0));
        fputc(']', html->to);
    }
    fputc(']', html->to);
}

void lh_html_put_nodes(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    fputs("[[0,0,0]", html->to);
    for (uint32_t i = 1; i < model->node_count; i++) {
        if (html->nodes[i] == 0)
            continue;
        open_row(html, false, html->nodes[model->nodes[i].outer]);
        put(html, html->frames[model->nodes[i].frame]);
        put(html, html->nodes[model->nodes[i].flame]);
        fputc(']', html->to);
    }
    fputc(']', html->to);
}

void lh_html_put_threads(struct lh_html *html)
{
    fputc('[', html->to);
    for (uint32_t i = 0; i < html->model->thread_count; i++) {
        const struct lh_export_thread *thread = &html->model->threads[i];
        open_row(html, i == 0, thread->process);
        put(html, thread->tid);
        put_string(html, thread->name);
        fputc(']', html->to);
    }
    fputc(']', html->to);
}

/* The frame to look at, in the stack of the longest event. */
static uint32_t frame_of(const struct lh_html *html, const struct lh_export_place *place)
{
    const struct lh_export_model *model = html->model;
    for (uint32_t stack = place->stack; stack != 0; stack = model->nodes[stack].outer) {
        const struct lh_export_frame *frame = &model->frames[model->nodes[stack].frame];
        if (frame->function == place->function && frame->file == place->file &&
            frame->line == place->line)
            return html->frames[model->nodes[stack].frame];
    }
    return 0;
}

static void put_place(struct lh_html *html, uint32_t number)
{
    const struct lh_export_place *place = &html->model->places[number];
    bool shown = !place->suppressed;
    open_row(html, number == 0, lh_html_string(html, place->what));
    put_string(html, place->group);
    put_string(html, place->where);
    put_string(html, place->source);
    put_string(html, place->api);
    put_string(html, place->advice);
    put_string(html, place->rule);
    put(html, place->known);
    put(html, shown ? place->count - html->places[number].count : 0);
    put_us(html, shown ? place->total_ns - html->places[number].ns : 0);
    put(html, frame_of(html, place));
    fputc(']', html->to);
}

/* The last one is of events without a place. */
void lh_html_put_places(struct lh_html *html)
{
    fputc('[', html->to);
    for (uint32_t i = 0; i < html->model->place_count; i++)
        put_place(html, i);
    open_row(html, html->model->place_count == 0, 0);
    fputs(",0,0,0,0,0,0,0,0,0,0]]", html->to);
}

/* In us that add up to what the event weighs. */
static void put_parts(struct lh_html *html, const struct lh_export_event *event)
{
    const struct lh_export_part *parts = &html->model->parts[event->first_part];
    uint64_t so_far_ns = 0;
    uint64_t told_us = 0;
    if (event->part_count == 1 && event->weight_ns == event->duration_ns) {
        put(html, html->nodes[parts[0].stack]);
        return;
    }
    fputs(",[", html->to);
    for (uint32_t i = 0; i < event->part_count; i++) {
        so_far_ns += parts[i].ns;
        uint64_t us = so_far_ns / LH_NS_PER_US - told_us;
        told_us += us;
        fprintf(html->to, "%s%" PRIu64 ",%" PRIu32, i == 0 ? "" : ",", us,
                html->nodes[parts[i].stack]);
    }
    fputc(']', html->to);
}

static void put_split(struct lh_html *html, const struct lh_export_event *event)
{
    if (event->split == LH_EXPORT_NO_SPLIT) {
        put(html, 0);
        return;
    }
    const struct lh_export_split *split = &html->model->splits[event->split];
    uint64_t known_ns = split->oncpu_ns + split->runqueue_ns + split->gil_ns + split->blocked_ns;
    uint64_t rest_ns = event->duration_ns > known_ns ? event->duration_ns - known_ns : 0;
    fprintf(html->to, ",[%" PRIu64, split->oncpu_ns / LH_NS_PER_US);
    put_us(html, split->runqueue_ns);
    put_us(html, split->gil_ns);
    put_us(html, split->blocked_ns);
    put_us(html, rest_ns);
    fputc(']', html->to);
}

static void put_victims(struct lh_html *html, const struct lh_export_event *event)
{
    if (event->victims == 0)
        put(html, 0);
    else
        fprintf(html->to, ",[%" PRIu32 ",%" PRIu64 "]", event->victims,
                event->waited_ns / LH_NS_PER_US);
}

/* A member of the object of details, if there is something to say. */
static void put_member(struct lh_html *html, const char *name, uint64_t value, bool *first)
{
    if (value == 0)
        return;
    fprintf(html->to, "%s\"%s\":%" PRIu64, *first ? "" : ",", name, value);
    *first = false;
}

static void put_details(struct lh_html *html, const struct lh_export_event *event)
{
    const struct {
        const char *name;
        uint32_t string;
    } texts[] = {{"on", event->resource},   {"task", event->task},   {"test", event->test},
                 {"labels", event->labels}, {"error", event->error}, {"holder", event->holder},
                 {"note", event->note},     {"trace", event->trace}, {"work", event->work}};
    bool first = true;
    fputs(",{", html->to);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        put_member(html, texts[i].name, lh_html_string(html, texts[i].string), &first);
    put_member(html, "stack", html->nodes[event->holder_stack], &first);
    put_member(html, "deadlock", event->deadlock, &first);
    fputc('}', html->to);
}

/* The iteration of a stall lasted longer than the stall: its blocks are not counted. */
static uint64_t span_ns(const struct lh_export_event *event)
{
    int64_t span = event->end_ns - event->start_ns;
    return span > 0 && (uint64_t)span > event->duration_ns ? (uint64_t)span : event->duration_ns;
}

static void put_event(struct lh_html *html, const struct lh_export_event *event, bool detailed,
                      bool first)
{
    uint32_t place = event->place != LH_EXPORT_NO_PLACE ? event->place : html->model->place_count;
    int64_t after_ns = event->start_ns - html->begin_ns;
    open_row(html, first, after_ns > 0 ? (uint64_t)after_ns / LH_NS_PER_US : 0);
    put_us(html, event->duration_ns);
    put(html, event->thread);
    put(html, place);
    put(html, (event->kind == LH_EXPORT_STALL ? 1 : 0) + (event->unended ? 2 : 0));
    put_parts(html, event);
    put_split(html, event);
    put_victims(html, event);
    if (detailed)
        put_details(html, event);
    else
        put(html, 0);
    put(html, event->count);
    put_us(html, span_ns(event));
    fputc(']', html->to);
}

void lh_html_put_events(struct lh_html *html)
{
    bool first = true;
    fputc('[', html->to);
    for (uint32_t i = 0; i < html->model->event_count; i++) {
        if (html->ranks[i] == LH_HTML_LEFT_OUT)
            continue;
        put_event(html, &html->model->events[i], html->ranks[i] == LH_HTML_DETAILED, first);
        first = false;
    }
    fputc(']', html->to);
}
