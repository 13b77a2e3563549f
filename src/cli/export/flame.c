/* SPDX-License-Identifier: Apache-2.0 */
/* The time of events, stack by stack. See flame.h. */
#include "cli/export/flame.h"

#include <stdlib.h>

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_stack(const void *left, const void *right)
{
    const struct lh_flame *a = left;
    const struct lh_flame *b = right;
    int order = compare(a->thread, b->thread);
    if (order == 0)
        order = compare(a->stack, b->stack);
    if (order == 0)
        order = compare(a->call, b->call);
    return order != 0 ? order : compare(a->group, b->group);
}

static uint32_t merge(struct lh_flame *flames, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && by_stack(&flames[kept - 1], &flames[i]) == 0) {
            flames[kept - 1].ns += flames[i].ns;
            flames[kept - 1].count += flames[i].count;
        } else {
            flames[kept++] = flames[i];
        }
    }
    return kept;
}

struct lh_flame *lh_flames_new(const struct lh_export_model *model, uint32_t *count)
{
    uint32_t used = 0;
    struct lh_flame *flames = calloc(model->part_count + 1u, sizeof(*flames));
    if (flames == NULL)
        return NULL;
    for (uint32_t i = 0; i < model->event_count; i++) {
        const struct lh_export_event *event = &model->events[i];
        for (uint32_t p = 0; p < event->part_count && !event->suppressed; p++) {
            const struct lh_export_part *part = &model->parts[event->first_part + p];
            flames[used++] = (struct lh_flame){.thread = model->threads[event->thread].name,
                                               .call = event->call,
                                               .group = event->group,
                                               .stack = model->nodes[part->stack].flame,
                                               .ns = part->ns,
                                               .count = p == 0 ? event->count : 0};
        }
    }
    qsort(flames, used, sizeof(*flames), by_stack);
    *count = merge(flames, used);
    return flames;
}

uint32_t lh_flame_frames(const struct lh_export_model *model, uint32_t stack,
                         uint32_t frames[LH_FLAME_FRAMES_MAX])
{
    uint32_t count = 0;
    for (; stack != 0 && count < LH_FLAME_FRAMES_MAX; stack = model->nodes[stack].outer)
        frames[count++] = model->nodes[stack].frame;
    return count;
}
