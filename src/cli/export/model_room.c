/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when there are more events than fit: the shortest go. See tables.h. */
#include <stdlib.h>

#include "cli/export/tables.h"
#include "common/mix.h"

static int by_size(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Half of the events weigh no more than this. */
static uint64_t median_of(const struct lh_export_model *model)
{
    uint64_t *weights = calloc(model->event_count, sizeof(*weights));
    if (weights == NULL)
        return UINT64_MAX;
    for (uint32_t i = 0; i < model->event_count; i++)
        weights[i] = model->events[i].weight_ns;
    qsort(weights, model->event_count, sizeof(*weights), by_size);
    uint64_t median = weights[model->event_count / 2];
    free(weights);
    return median;
}

static void leave_out(struct lh_export_model *model, const struct lh_export_event *event)
{
    if (event->in_flight)
        lh_model_count(model, event);
    model->left_out.events++;
    lh_add_ns(&model->left_out.events_ns, event->weight_ns);
}

/* Moves what stays to the front; no event comes before its parts. */
static void keep(struct lh_export_model *model, struct lh_export_event event,
                 struct lh_export_model *kept)
{
    for (uint32_t i = 0; i < event.part_count; i++)
        kept->parts[kept->part_count + i] = model->parts[event.first_part + i];
    event.first_part = kept->part_count;
    kept->part_count += event.part_count;
    if (event.split != LH_EXPORT_NO_SPLIT) {
        kept->splits[kept->split_count] = model->splits[event.split];
        event.split = kept->split_count++;
    }
    kept->events[kept->event_count++] = event;
}

static bool put_in_new_tables(struct lh_export_model *kept)
{
    kept->events = calloc(LH_EXPORT_EVENTS_MAX, sizeof(*kept->events));
    kept->parts = calloc(LH_EXPORT_PARTS_MAX, sizeof(*kept->parts));
    kept->splits = calloc(LH_EXPORT_EVENTS_MAX, sizeof(*kept->splits));
    if (kept->events != NULL && kept->parts != NULL && kept->splits != NULL)
        return true;
    free(kept->events);
    free(kept->parts);
    free(kept->splits);
    return false;
}

/* Those of which more may be said, by where they are now. */
static void number_anew(struct lh_export_model *model)
{
    lh_ids_free(&model->tables->event_ids);
    for (uint32_t i = 0; i < model->event_count; i++) {
        const struct lh_export_event *event = &model->events[i];
        const struct lh_export_process *process =
            &model->processes[model->threads[event->thread].process];
        if (event->in_flight || event->strict)
            (void)lh_ids_add_key(&model->tables->event_ids,
                                 lh_mix(lh_mix(process->run, process->pid), event->id), i);
    }
}

void lh_model_make_room(struct lh_export_model *model)
{
    struct lh_export_model kept = {0};
    uint64_t median = median_of(model);
    if (median == UINT64_MAX || !put_in_new_tables(&kept)) {
        model->tables->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < model->event_count; i++)
        if (model->events[i].weight_ns > median)
            keep(model, model->events[i], &kept);
        else
            leave_out(model, &model->events[i]);
    free(model->events);
    free(model->parts);
    free(model->splits);
    model->events = kept.events;
    model->event_count = kept.event_count;
    model->parts = kept.parts;
    model->part_count = kept.part_count;
    model->splits = kept.splits;
    model->split_count = kept.split_count;
    model->tables->event_room = LH_EXPORT_EVENTS_MAX;
    model->tables->part_room = LH_EXPORT_PARTS_MAX;
    model->tables->split_room = LH_EXPORT_EVENTS_MAX;
    number_anew(model);
}
