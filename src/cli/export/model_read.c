/* SPDX-License-Identifier: Apache-2.0 */
/* A model, from the files to what writers see. See model.h. */
#include "cli/export/model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/tables.h"
#include "common/units.h"

#define BOOK_FRAMES (1u << 16)
#define BOOK_STACKS (1u << 18)

static const char *const nowhere[] = {NULL};

static bool begin(struct lh_export_model *model, const struct lh_export_options *options)
{
    struct lh_export_tables *tables = calloc(1, sizeof(*tables));
    bool added = false;
    model->tables = tables;
    if (tables == NULL)
        return false;
    tables->range = options->range;
    tables->by_place = lh_by_find("place");
    tables->files =
        lh_symbol_files_new(options->directories != NULL ? options->directories : nowhere);
    tables->book = lh_book_new(tables->files);
    if (tables->files == NULL || tables->book == NULL)
        return false;
    lh_book_limit(tables->book, BOOK_FRAMES, BOOK_STACKS);
    model->totals.first_ns = INT64_MAX;
    model->totals.last_ns = INT64_MIN;
    model->top = options->top;
    /* The number 0 of each of these is none. */
    added = lh_table_grow(model, (void **)&tables->strings, 0, &tables->string_room,
                          sizeof(*tables->strings), LH_EXPORT_STRINGS_MAX) &&
            lh_table_grow(model, (void **)&model->frames, 0, &tables->frame_room,
                          sizeof(*model->frames), LH_EXPORT_FRAMES_MAX) &&
            lh_table_grow(model, (void **)&model->nodes, 0, &tables->node_room,
                          sizeof(*model->nodes), LH_EXPORT_NODES_MAX);
    if (!added)
        return false;
    tables->strings[0] = "";
    model->frames[0] = (struct lh_export_frame){0};
    model->nodes[0] = (struct lh_export_node){0};
    tables->string_count = model->frame_count = model->node_count = 1;
    return true;
}

static bool is_event(const char *type)
{
    return strcmp(type, "inflight") == 0 || strcmp(type, "block") == 0 ||
           strcmp(type, "stall") == 0;
}

/* What a process is does not depend on the time that is asked for. */
static void take_line(void *context, json_t *line)
{
    struct lh_export_model *model = context;
    const char *type = lh_string_of(line, "type");
    if (lh_book_take(model->tables->book, line) || type == NULL)
        return;
    if (strcmp(type, "start") == 0)
        lh_model_start(model, line);
    else if (strcmp(type, "loop") == 0)
        lh_model_loop(model, line);
    else if (!lh_is_in_time(&model->tables->range, line))
        model->left_out.outside += is_event(type);
    else if (is_event(type))
        lh_model_event(model, line, type);
    else if (strcmp(type, "repeated") == 0)
        lh_model_repeated(model, line);
    else if (strcmp(type, "summary") == 0)
        lh_model_summary(model, line);
}

static int by_start(const void *left, const void *right)
{
    const struct lh_export_event *a = left;
    const struct lh_export_event *b = right;
    if (a->start_ns != b->start_ns)
        return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
    if (a->end_ns != b->end_ns) /* what is around it comes first */
        return (a->end_ns < b->end_ns) - (a->end_ns > b->end_ns);
    return (a->id > b->id) - (a->id < b->id);
}

/* What is suppressed comes last, and what has no events behind it. */
static int by_total(const void *left, const void *right)
{
    const struct lh_export_place *const *a = left;
    const struct lh_export_place *const *b = right;
    if (((*a)->count == 0) != ((*b)->count == 0))
        return (*a)->count == 0 ? 1 : -1;
    if ((*a)->suppressed != (*b)->suppressed)
        return (*a)->suppressed ? 1 : -1;
    if ((*a)->total_ns != (*b)->total_ns)
        return (*a)->total_ns < (*b)->total_ns ? 1 : -1;
    return (*a > *b) - (*a < *b); /* as they were met */
}

/* Events name their place by its new number. */
static void rename_places(struct lh_export_model *model, const struct lh_export_place **order,
                          const uint32_t *number)
{
    struct lh_export_place *sorted = calloc(model->place_count, sizeof(*sorted));
    if (sorted == NULL) {
        model->tables->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < model->place_count; i++)
        sorted[i] = *order[i];
    for (uint32_t i = 0; i < model->event_count; i++)
        if (model->events[i].place != LH_EXPORT_NO_PLACE)
            model->events[i].place = number[model->events[i].place];
    free(model->places);
    model->places = sorted;
    while (model->place_count > 0 && sorted[model->place_count - 1].count == 0)
        model->place_count--;
}

static void sort_places(struct lh_export_model *model)
{
    const struct lh_export_place **order =
        calloc(model->place_count + 1u, sizeof(struct lh_export_place *));
    uint32_t *number = calloc(model->place_count + 1u, sizeof(*number));
    for (uint32_t i = 0; order != NULL && i < model->place_count; i++)
        order[i] = &model->places[i];
    if (order != NULL && number != NULL && model->place_count > 0) {
        qsort(order, model->place_count, sizeof(struct lh_export_place *), by_total);
        for (uint32_t i = 0; i < model->place_count; i++)
            number[order[i] - model->places] = i;
        rename_places(model, order, number);
    }
    model->tables->out_of_memory |= order == NULL || number == NULL;
    free(order);
    free(number);
}

/* The program has said what it all came to, and this iteration, told in flight, has no line of its
 * end: it was no stall in the end, for its blocks account for it. */
static bool came_to_nothing(const struct lh_export_model *model,
                            const struct lh_export_event *event)
{
    return event->in_flight && event->call == 0 &&
           model->processes[model->threads[event->thread].process].has_summary;
}

static void finish(struct lh_export_model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->event_count; i++) {
        const struct lh_export_event *event = &model->events[i];
        if (came_to_nothing(model, event))
            continue;
        if (event->in_flight)
            lh_model_count(model, event);
        model->events[count++] = *event;
    }
    model->event_count = count;
    if (model->event_count > 0)
        qsort(model->events, model->event_count, sizeof(*model->events), by_start);
    sort_places(model);
    model->left_out.missing = lh_book_missing(model->tables->book);
}

/* What processes counted, and did not write in full. */
static void say_untold(const struct lh_export_model *model)
{
    uint64_t counted = 0;
    uint64_t blocked_ns = 0;
    bool all = model->process_count > 0;
    for (uint32_t i = 0; i < model->process_count; i++) {
        lh_add_ns(&counted, model->processes[i].blocks);
        lh_add_ns(&blocked_ns, model->processes[i].blocked_ns);
        all &= model->processes[i].has_summary;
    }
    uint64_t told = model->totals.blocks;
    if (all && counted > told && !lh_is_limited(&model->tables->range))
        fprintf(stderr,
                "loophound: %" PRIu64 " blocks of %.1f ms were counted only, and are not here: "
                "over the rate, or lost\n",
                counted - told,
                blocked_ns > model->totals.blocks_ns
                    ? (double)(blocked_ns - model->totals.blocks_ns) / (double)LH_NS_PER_MS
                    : 0);
}

static void say_left_out(const struct lh_export_model *model)
{
    const struct lh_export_left_out *left = &model->left_out;
    const struct {
        uint64_t count;
        const char *what;
    } rest[] = {
        {left->outside, "events of another time are left out"},
        {left->frames, "frames are left out: there are too many different stacks"},
        {left->strings, "names are left out: there are too many different ones"},
        {left->places, "events have no place: there are too many different ones"},
        {left->threads, "events are left out: there are too many threads or processes"},
    };
    lh_say_missing(left->missing);
    if (left->events > 0)
        fprintf(stderr,
                "loophound: the %" PRIu64 " shortest events, %.1f ms in all, are left out: more "
                "than %u do not fit\n",
                left->events, (double)left->events_ns / (double)LH_NS_PER_MS, LH_EXPORT_EVENTS_MAX);
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        if (rest[i].count > 0)
            fprintf(stderr, "loophound: %" PRIu64 " %s\n", rest[i].count, rest[i].what);
    say_untold(model);
}

/* What only reading needed. */
static void end_reading(struct lh_export_tables *tables)
{
    struct lh_ids *const ids[] = {&tables->string_ids, &tables->frame_ids, &tables->node_ids,
                                  &tables->event_ids,  &tables->place_ids, &tables->thread_ids,
                                  &tables->process_ids};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        lh_ids_free(ids[i]);
    lh_book_free(tables->book);
    lh_symbol_files_free(tables->files);
    free(tables->book_nodes);
    tables->book = NULL;
    tables->files = NULL;
    tables->book_nodes = NULL;
}

struct lh_export_model *lh_export_model_read(const struct lh_export_options *options,
                                             const char *const *files, size_t count, int *status)
{
    struct lh_export_model *model = calloc(1, sizeof(*model));
    bool complete = false;
    if (model != NULL && begin(model, options)) {
        *status = lh_read_lines(files, count, take_line, model);
        finish(model);
        complete = !model->tables->out_of_memory;
    }
    if (!complete) {
        lh_export_model_free(model);
        return NULL;
    }
    say_left_out(model);
    end_reading(model->tables);
    return model;
}

void lh_export_model_free(struct lh_export_model *model)
{
    if (model == NULL)
        return;
    if (model->tables != NULL) {
        end_reading(model->tables);
        for (uint32_t i = 0; i < model->tables->chunk_count; i++)
            free(model->tables->chunks[i]);
        free(model->tables->chunks);
        free((void *)model->tables->strings);
    }
    free(model->tables);
    free(model->events);
    free(model->parts);
    free(model->splits);
    free(model->places);
    free(model->threads);
    free(model->processes);
    free(model->frames);
    free(model->nodes);
    free(model);
}
