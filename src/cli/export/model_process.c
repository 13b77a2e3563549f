/* SPDX-License-Identifier: Apache-2.0 */
/* The processes and threads of events. See tables.h. */
#include <stdio.h>

#include "cli/export/tables.h"
#include "common/mix.h"
#include "common/text.h"

/* LH_NO_NUMBER: there is no room. */
static uint32_t new_process(struct lh_export_model *model, uint32_t pid)
{
    struct lh_export_tables *tables = model->tables;
    if (!lh_table_grow(model, (void **)&model->processes, model->process_count,
                       &tables->process_room, sizeof(*model->processes), LH_EXPORT_PROCESSES_MAX) ||
        !lh_ids_add_key(&tables->process_ids, lh_mix(1, pid), model->process_count))
        return LH_NO_NUMBER;
    model->processes[model->process_count] = (struct lh_export_process){.pid = pid};
    return model->process_count++;
}

/* The last one that had the event's pid. */
static uint32_t process_of(struct lh_export_model *model, const json_t *event)
{
    uint32_t pid = lh_model_u32(event, "pid");
    uint32_t number = lh_ids_find_key(&model->tables->process_ids, lh_mix(1, pid));
    return number != LH_NO_NUMBER ? number : new_process(model, pid);
}

static uint32_t runtime_of(struct lh_export_model *model, const json_t *runtime)
{
    char text[256];
    const char *name = lh_string_of(runtime, "name");
    const char *version = lh_string_of(runtime, "version");
    if (name == NULL)
        return 0;
    (void)snprintf(text, sizeof(text), "%.100s%s%.100s", name, version != NULL ? " " : "",
                   version != NULL ? version : "");
    return lh_intern(model, text);
}

/* The strings of an array in one; what does not fit is cut. */
static uint32_t joined_of(struct lh_export_model *model, const json_t *array, char between)
{
    char room[LH_EXPORT_STRING_MAX];
    struct lh_text text;
    lh_text_init(&text, room, sizeof(room));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *one = json_string_value(json_array_get(array, i));
        if (i > 0)
            lh_text_char(&text, between);
        lh_text_string(&text, one != NULL ? one : "");
    }
    return lh_intern(model, room);
}

void lh_model_start(struct lh_export_model *model, const json_t *event)
{
    uint32_t number = new_process(model, lh_model_u32(event, "pid"));
    if (number == LH_NO_NUMBER)
        return;
    struct lh_export_process made = {
        .pid = lh_model_u32(event, "pid"),
        .run = lh_model_text(model, event, "run"),
        .host = lh_model_text(model, event, "host"),
        .exe = lh_model_text(model, event, "exe"),
        .service = lh_model_text(model, event, "service"),
        .runtime = runtime_of(model, json_object_get(event, "runtime")),
        .argv = joined_of(model, json_object_get(event, "argv"), ' '),
        .warnings = joined_of(model, json_object_get(event, "warnings"), '\n'),
        .cwd = lh_model_text(model, event, "cwd"),
        .root = lh_model_text(model, event, "root"),
        .threshold_ns = lh_model_ns(event, "threshold_ms"),
        .strict = json_is_true(json_object_get(event, "strict")),
    };
    model->processes[number] = made;
}

uint32_t lh_model_thread(struct lh_export_model *model, const json_t *event)
{
    struct lh_export_tables *tables = model->tables;
    uint32_t process = process_of(model, event);
    uint32_t tid = lh_model_u32(event, "tid");
    uint32_t name = lh_model_text(model, event, "thread");
    if (process == LH_NO_NUMBER)
        return LH_NO_NUMBER;
    uint64_t key = lh_mix(1, (uint64_t)process << 32 | tid);
    uint32_t number = lh_ids_find_key(&tables->thread_ids, key);
    if (number == LH_NO_NUMBER) {
        if (!lh_table_grow(model, (void **)&model->threads, model->thread_count,
                           &tables->thread_room, sizeof(*model->threads), LH_EXPORT_THREADS_MAX) ||
            !lh_ids_add_key(&tables->thread_ids, key, model->thread_count))
            return LH_NO_NUMBER;
        number = model->thread_count++;
        model->threads[number] =
            (struct lh_export_thread){.process = process, .tid = tid, .fd = -1};
    }
    if (name != 0)
        model->threads[number].name = name;
    return number;
}

void lh_model_loop(struct lh_export_model *model, const json_t *event)
{
    const json_t *fd = json_object_get(event, "fd");
    uint32_t number = lh_model_thread(model, event);
    if (number == LH_NO_NUMBER)
        return;
    model->threads[number].how = lh_model_text(model, event, "how");
    if (json_is_integer(fd) && json_integer_value(fd) >= 0 && json_integer_value(fd) <= INT32_MAX)
        model->threads[number].fd = (int32_t)json_integer_value(fd);
}

void lh_model_summary(struct lh_export_model *model, const json_t *event)
{
    uint32_t number = process_of(model, event);
    if (number == LH_NO_NUMBER)
        return;
    struct lh_export_process *process = &model->processes[number];
    process->has_summary = true;
    process->why = lh_model_text(model, event, "why");
    lh_add_ns(&process->blocks, lh_model_u64(event, "blocks"));
    lh_add_ns(&process->stalls, lh_model_u64(event, "stalls"));
    lh_add_ns(&process->suppressed, lh_model_u64(event, "suppressed"));
    lh_add_ns(&process->dropped, lh_model_u64(event, "dropped"));
    lh_add_ns(&process->blocked_ns, lh_model_ns(event, "blocked_ms"));
}
