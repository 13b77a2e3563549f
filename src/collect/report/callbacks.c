/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks of reports. Runs on the threads of the rings. See callbacks.h. */
#include "collect/report/callbacks.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "collect/stack/callback.h"
#include "collect/stack/frame_kind.h"
#include "collect/stack/node_callback.h"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_below(const struct lh_sample *sample, const struct lh_frame *place)
{
    for (uint32_t i = 0; i < sample->frame_count; i++)
        if (same_text(sample->frames[i].function, place->function) &&
            same_text(sample->frames[i].file, place->file))
            return true;
    return false;
}

/* What the group's own stack does not say, one of the samples may that were seen at the same place:
 * not each stack goes on to where the loop is. */
static void ask_samples(struct lh_report *report)
{
    const struct lh_sample *group = &report->groups[0];
    uint32_t place = lh_place_of(group->frames, group->frame_count);
    for (uint32_t i = 0; i < report->sample_count && report->callback_kind == NULL; i++)
        if (place < group->frame_count && is_below(&report->samples[i], &group->frames[place]))
            report->callback_kind = lh_node_callback_of(
                report->samples[i].frames, report->samples[i].frame_count, &report->callback);
}

void lh_callback_take(struct lh_report *report)
{
    bool grouped = report->group_count > 0;
    report->callback_kind = lh_node_callback_of(
        grouped ? report->groups[0].frames : report->frames,
        grouped ? report->groups[0].frame_count : report->frame_count, &report->callback);
    if (report->callback_kind == NULL && grouped)
        ask_samples(report);
    else if (report->callback_kind == NULL)
        report->callback =
            lh_callback_of(&report->record->task, report->frames, report->frame_count);
}
