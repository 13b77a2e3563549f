/* SPDX-License-Identifier: Apache-2.0 */
/* speedscope's own format: a profile for each loop thread, its samples in the order of time.
 * https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/export/flame.h"
#include "cli/export/formats.h"
#include "cli/export/put.h"
#include "cli/export/timeline.h"
#include "common/version.h"

/* The number of a frame in the file: those of the model, then one for each call, by its string. */
struct numbers {
    uint32_t *frames; /* 0: it is in no sample; else the number and 1 */
    uint32_t *calls;
    uint32_t count;
};

static void number_frames(const struct lh_export_model *model, struct numbers *numbers)
{
    uint32_t frames[LH_FLAME_FRAMES_MAX];
    for (uint32_t i = 0; i < model->event_count; i++) {
        const struct lh_export_event *event = &model->events[i];
        if (event->suppressed)
            continue;
        for (uint32_t p = 0; p < event->part_count; p++) {
            uint32_t stack = model->parts[event->first_part + p].stack;
            uint32_t count = lh_flame_frames(model, model->nodes[stack].flame, frames);
            for (uint32_t f = 0; f < count; f++)
                numbers->frames[frames[f]] = 1;
        }
        numbers->calls[event->call] = 1;
    }
    for (uint32_t i = 0; i < model->frame_count; i++)
        if (numbers->frames[i] != 0)
            numbers->frames[i] = ++numbers->count;
    for (uint32_t i = 0; i < lh_export_string_count(model); i++)
        if (numbers->calls[i] != 0)
            numbers->calls[i] = ++numbers->count;
}

static void put_frames(struct lh_put *put, const struct lh_export_model *model,
                       const struct numbers *numbers)
{
    char leaf[LH_EXPORT_STRING_MAX + 2];
    lh_put_key(put, "frames");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < model->frame_count; i++) {
        const struct lh_export_frame *frame = &model->frames[i];
        if (numbers->frames[i] == 0)
            continue;
        lh_put_open(put, '{');
        lh_put_key(put, "name");
        lh_put_string(put, lh_export_text(model, frame->name));
        lh_put_text(put, "file",
                    lh_export_text(model, frame->file != 0 ? frame->file : frame->module));
        if (frame->line != 0)
            lh_put_number(put, "line", frame->line);
        lh_put_close(put, '}');
    }
    for (uint32_t i = 0; i < lh_export_string_count(model); i++) {
        if (numbers->calls[i] == 0)
            continue;
        (void)snprintf(leaf, sizeof(leaf), "[%s]", lh_export_what(model, i));
        lh_put_open(put, '{');
        lh_put_text(put, "name", leaf);
        lh_put_close(put, '}');
    }
    lh_put_close(put, ']');
}

static void put_sample(struct lh_put *put, const struct lh_export_model *model,
                       const struct numbers *numbers, uint32_t stack, uint32_t call)
{
    uint32_t frames[LH_FLAME_FRAMES_MAX];
    uint32_t count = lh_flame_frames(model, model->nodes[stack].flame, frames);
    lh_put_open(put, '[');
    for (uint32_t i = count; i > 0; i--)
        lh_put_u64(put, numbers->frames[frames[i - 1]] - 1);
    lh_put_u64(put, numbers->calls[call] - 1);
    lh_put_close(put, ']');
}

static void put_name(struct lh_put *put, const struct lh_export_model *model, uint32_t thread)
{
    char room[16];
    char name[512];
    uint32_t process = model->threads[thread].process;
    (void)snprintf(name, sizeof(name), "%.200s (%.200s, %" PRIu32 "/%" PRIu32 ")",
                   lh_thread_name(model, thread, room), lh_process_name(model, process),
                   model->processes[process].pid, model->threads[thread].tid);
    lh_put_key(put, "name");
    lh_put_string(put, name);
}

static void put_profile(struct lh_put *put, const struct lh_export_model *model,
                        const struct numbers *numbers, const uint32_t *events, uint32_t count)
{
    uint64_t whole_ns = 0;
    lh_put_open(put, '{');
    lh_put_text(put, "type", "sampled");
    put_name(put, model, model->events[events[0]].thread);
    lh_put_text(put, "unit", "milliseconds");
    lh_put_key(put, "samples");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < count; i++) {
        const struct lh_export_event *event = &model->events[events[i]];
        for (uint32_t p = 0; p < event->part_count; p++)
            put_sample(put, model, numbers, model->parts[event->first_part + p].stack, event->call);
        whole_ns += event->weight_ns;
    }
    lh_put_close(put, ']');
    lh_put_key(put, "weights");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < model->events[events[i]].part_count; p++)
            lh_put_ms(put, model->parts[model->events[events[i]].first_part + p].ns);
    lh_put_close(put, ']');
    lh_put_number(put, "startValue", 0);
    lh_put_millis(put, "endValue", whole_ns);
    lh_put_close(put, '}');
}

static void put_all(struct lh_put *put, const struct lh_export_model *model,
                    const struct numbers *numbers, const uint32_t *events, uint32_t count)
{
    lh_put_open(put, '{');
    lh_put_text(put, "$schema", "https://www.speedscope.app/file-format-schema.json");
    lh_put_text(put, "name", "what blocked the event loops");
    lh_put_text(put, "exporter", "loophound " LH_VERSION);
    lh_put_key(put, "shared");
    lh_put_open(put, '{');
    put_frames(put, model, numbers);
    lh_put_close(put, '}');
    lh_put_key(put, "profiles");
    lh_put_open(put, '[');
    for (uint32_t at = 0, run; at < count; at += run) {
        run = lh_timeline_run(model, events + at, count - at);
        put_profile(put, model, numbers, events + at, run);
    }
    lh_put_close(put, ']');
    lh_put_close(put, '}');
    fputc('\n', put->to);
}

int lh_export_speedscope(const struct lh_export_model *model, FILE *to)
{
    uint32_t count;
    uint32_t *events = lh_timeline_new(model, &count);
    struct numbers numbers = {.frames = calloc(model->frame_count, sizeof(uint32_t)),
                              .calls = calloc(lh_export_string_count(model), sizeof(uint32_t))};
    bool room = events != NULL && numbers.frames != NULL && numbers.calls != NULL;
    if (room) {
        number_frames(model, &numbers);
        put_all(&(struct lh_put){.to = to}, model, &numbers, events, count);
    }
    free(events);
    free(numbers.frames);
    free(numbers.calls);
    return room ? 0 : -ENOMEM;
}
