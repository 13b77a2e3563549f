/* SPDX-License-Identifier: Apache-2.0 */
/* What of a model goes into the HTML report, and by which numbers. See html.h. */
#include <errno.h>
#include <stdlib.h>

#include "cli/export/html.h"

static int longest_first(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a < b) - (a > b);
}

/* Events of at least durations[most - 1] are `most` or more: of the equal ones the first. */
static void rank_longest(struct lh_html *html, const uint64_t *durations, uint32_t count,
                         uint32_t most, enum lh_html_rank rank)
{
    const struct lh_export_model *model = html->model;
    uint64_t least = count > most ? durations[most - 1] : 0;
    uint32_t equal = 0; /* that have room */
    while (count > most && equal < most && durations[most - 1 - equal] == least)
        equal++;
    for (uint32_t i = 0; i < model->event_count; i++) {
        const struct lh_export_event *event = &model->events[i];
        if (event->suppressed || event->duration_ns < least)
            continue;
        if (count > most && event->duration_ns == least && equal-- == 0) {
            equal = 0;
            continue;
        }
        html->ranks[i] = (uint8_t)rank;
    }
}

static int rank(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    uint32_t count = 0;
    uint64_t *durations = calloc(model->event_count + 1u, sizeof(*durations));
    if (durations == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < model->event_count; i++)
        if (!model->events[i].suppressed)
            durations[count++] = model->events[i].duration_ns;
    qsort(durations, count, sizeof(*durations), longest_first);
    rank_longest(html, durations, count, LH_HTML_EVENTS_MAX, LH_HTML_SHORT);
    rank_longest(html, durations, count, LH_HTML_DETAILS_MAX, LH_HTML_DETAILED);
    if (count > LH_HTML_DETAILS_MAX)
        html->left_details =
            (count < LH_HTML_EVENTS_MAX ? count : LH_HTML_EVENTS_MAX) - LH_HTML_DETAILS_MAX;
    free(durations);
    return 0;
}

/* Marks a stack and all that is further out, also as a flame view shows it. */
static void need_stack(struct lh_html *html, uint32_t stack)
{
    const struct lh_export_node *nodes = html->model->nodes;
    uint32_t flame = nodes[stack].flame;
    for (; stack != 0 && html->nodes[stack] == 0; stack = nodes[stack].outer)
        html->nodes[stack] = 1;
    for (; flame != 0 && html->nodes[flame] == 0; flame = nodes[flame].outer)
        html->nodes[flame] = 1;
}

static void need_event(struct lh_html *html, const struct lh_export_event *event, bool detailed)
{
    for (uint32_t i = 0; i < event->part_count; i++)
        need_stack(html, html->model->parts[event->first_part + i].stack);
    if (detailed)
        need_stack(html, event->holder_stack);
    if (event->place == LH_EXPORT_NO_PLACE)
        return;
    html->places[event->place].count += event->count;
    html->places[event->place].ns += event->weight_ns;
}

/* Marks become numbers. */
static void number_nodes(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    for (uint32_t i = 1; i < model->node_count; i++) {
        if (html->nodes[i] == 0)
            continue;
        html->nodes[i] = ++html->node_count;
        html->frames[model->nodes[i].frame] = 1;
    }
    for (uint32_t i = 1; i < model->frame_count; i++)
        if (html->frames[i] != 0)
            html->frames[i] = ++html->frame_count;
}

static void need_events(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    for (uint32_t i = 0; i < model->event_count; i++)
        if (html->ranks[i] != LH_HTML_LEFT_OUT)
            need_event(html, &model->events[i], html->ranks[i] == LH_HTML_DETAILED);
    for (uint32_t i = 0; i < model->place_count; i++) {
        const struct lh_export_place *place = &model->places[i];
        if (place->suppressed)
            continue;
        html->left_events += place->count - html->places[i].count;
        html->left_ns += place->total_ns - html->places[i].ns;
    }
    number_nodes(html);
}

int lh_html_begin(struct lh_html *html, const struct lh_export_model *model, FILE *to)
{
    uint32_t strings = lh_export_string_count(model);
    *html = (struct lh_html){.model = model,
                             .to = to,
                             .begin_ns =
                                 model->totals.first_ns != INT64_MAX ? model->totals.first_ns : 0,
                             .ranks = calloc(model->event_count + 1u, sizeof(*html->ranks)),
                             .strings = calloc(strings, sizeof(*html->strings)),
                             .string_order = calloc(strings, sizeof(*html->string_order)),
                             .frames = calloc(model->frame_count, sizeof(*html->frames)),
                             .nodes = calloc(model->node_count, sizeof(*html->nodes)),
                             .places = calloc(model->place_count + 1u, sizeof(*html->places))};
    if (html->ranks == NULL || html->strings == NULL || html->string_order == NULL ||
        html->frames == NULL || html->nodes == NULL || html->places == NULL)
        return -ENOMEM;
    int error = rank(html);
    if (error == 0)
        need_events(html);
    return error;
}

void lh_html_end(struct lh_html *html)
{
    free(html->ranks);
    free(html->strings);
    free(html->string_order);
    free(html->frames);
    free(html->nodes);
    free(html->places);
}

uint32_t lh_html_string(struct lh_html *html, uint32_t string)
{
    if (string == 0 || html->strings[string] != 0)
        return html->strings[string];
    html->string_order[html->string_count] = string;
    return html->strings[string] = ++html->string_count;
}
