/* SPDX-License-Identifier: Apache-2.0 */
/* Events thread by thread. See timeline.h. */
#include "cli/export/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"

/* Counting: the events are in order already. */
uint32_t *lh_timeline_new(const struct lh_export_model *model, uint32_t *count)
{
    uint32_t *order = calloc(model->event_count + 1u, sizeof(*order));
    uint32_t *next = calloc(model->thread_count + 1u, sizeof(*next));
    *count = 0;
    if (order == NULL || next == NULL) {
        free(order);
        free(next);
        return NULL;
    }
    for (uint32_t i = 0; i < model->event_count; i++)
        next[model->events[i].thread + 1] += !model->events[i].suppressed;
    for (uint32_t i = 0; i < model->thread_count; i++)
        next[i + 1] += next[i];
    *count = next[model->thread_count];
    for (uint32_t i = 0; i < model->event_count; i++)
        if (!model->events[i].suppressed)
            order[next[model->events[i].thread]++] = i;
    free(next);
    return order;
}

uint32_t lh_timeline_run(const struct lh_export_model *model, const uint32_t *events,
                         uint32_t count)
{
    uint32_t length = 0;
    while (length < count &&
           model->events[events[length]].thread == model->events[events[0]].thread)
        length++;
    return length;
}

const char *lh_thread_name(const struct lh_export_model *model, uint32_t thread, char room[16])
{
    if (model->threads[thread].name != 0)
        return lh_export_text(model, model->threads[thread].name);
    (void)snprintf(room, 16, "%" PRIu32, model->threads[thread].tid);
    return room;
}

const char *lh_process_name(const struct lh_export_model *model, uint32_t process)
{
    const struct lh_export_process *one = &model->processes[process];
    const char *name = lh_export_text(model, one->service);
    if (name[0] == '\0')
        name = lh_base_name(lh_export_text(model, one->exe));
    return name[0] != '\0' ? name : "process";
}
