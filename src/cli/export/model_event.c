/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and stalls of a model, from their lines. See tables.h. */
#include <stdio.h>
#include <string.h>

#include "cli/export/resource.h"
#include "cli/export/tables.h"
#include "cli/report_time.h"
#include "collect/sink/text_parts.h"
#include "common/mix.h"
#include "common/units.h"

#define SAMPLES_MAX 64u
#define COUNT_MAX   1000000000u /* of one event: what says more is no count */
#define NAME_BYTES  512
#define LATEST_US   INT64_C(9000000000000000) /* in the year 2255; its ns, and differences, fit */

static int64_t time_of(const json_t *event, const char *name, int64_t otherwise)
{
    int64_t us;
    const char *text = lh_string_of(event, name);
    return text != NULL && lh_time_parse(text, &us) && us >= 0 && us <= LATEST_US
               ? us * LH_NS_PER_US
               : otherwise;
}

/* By which more is said of an event: in one run a process counts its waits. */
static uint64_t key_of(const struct lh_export_model *model, uint32_t thread, uint32_t id)
{
    const struct lh_export_process *process = &model->processes[model->threads[thread].process];
    return lh_mix(lh_mix(process->run, process->pid), id);
}

static uint32_t task_of(struct lh_export_model *model, const json_t *task)
{
    char text[NAME_BYTES];
    const char *name = lh_string_of(task, "name");
    const char *coroutine = lh_string_of(task, "coroutine");
    const char *callback = lh_string_of(task, "callback");
    const char *kind = lh_string_of(task, "kind");
    if (callback != NULL && kind != NULL) {
        (void)snprintf(text, sizeof(text), "%.240s (%.60s)", callback, kind);
        return lh_intern(model, text);
    }
    if (callback != NULL || kind != NULL)
        return lh_intern(model, callback != NULL ? callback : kind);
    if (name == NULL || coroutine == NULL)
        return lh_intern(model, name != NULL ? name : coroutine);
    (void)snprintf(text, sizeof(text), "%.120s (%.240s)", name, coroutine);
    return lh_intern(model, text);
}

/* Of a stall that of the place where most of its time went; of an iteration that goes on, where it
 * is. */
static uint32_t work_of(struct lh_export_model *model, const json_t *event)
{
    char bytes[NAME_BYTES];
    struct lh_text text;
    size_t i;
    const json_t *work;
    const json_t *group = json_array_get(json_object_get(event, "groups"), 0);
    if (group == NULL)
        return lh_model_text(model, event, "work");
    lh_text_init(&text, bytes, sizeof(bytes));
    json_array_foreach(json_object_get(group, "work"), i, work)
    {
        const char *place = lh_string_of(work, "in");
        if (place == NULL)
            continue;
        lh_text_string(&text, text.length > 0 ? "; " : "");
        lh_text_format(&text, "%.120s: ", place);
        lh_text_elapsed(&text, lh_model_ns(work, "ms"), 10);
    }
    return text.length > 0 ? lh_intern(model, bytes) : 0;
}

static uint32_t holder_of(struct lh_export_model *model, const json_t *holder)
{
    char text[NAME_BYTES];
    const char *name = lh_string_of(holder, "thread");
    if (!json_is_object(holder))
        return 0;
    (void)snprintf(text, sizeof(text), "%.240s (%" JSON_INTEGER_FORMAT ")",
                   name != NULL ? name : "thread",
                   json_integer_value(json_object_get(holder, "tid")));
    return lh_intern(model, text);
}

static bool add_part(struct lh_export_model *model, struct lh_export_event *event, uint32_t stack,
                     uint64_t ns)
{
    if (!lh_table_grow(model, (void **)&model->parts, model->part_count, &model->tables->part_room,
                       sizeof(*model->parts), LH_EXPORT_PARTS_MAX))
        return false;
    model->parts[model->part_count++] = (struct lh_export_part){stack, ns};
    event->part_count++;
    return true;
}

static uint64_t weight_of_sample(const json_t *sample)
{
    uint64_t ns = lh_model_ns(sample, "ms");
    uint64_t count = lh_model_u64(sample, "count");
    uint64_t by_count = (count < COUNT_MAX ? count : COUNT_MAX) * 10 * LH_NS_PER_MS;
    return ns != 0 ? ns : by_count;
}

/* The part of `whole` that `share` of `all` is. */
static uint64_t part_of(uint64_t whole, uint64_t share, uint64_t all)
{
    __extension__ typedef unsigned __int128 wide;
    return all != 0 ? (uint64_t)((wide)whole * share / all) : 0;
}

/* The time of a stall goes to its samples by what they stand for: to the last ns. */
static void add_samples(struct lh_export_model *model, struct lh_export_event *event,
                        const json_t *samples, size_t count)
{
    uint64_t all = 0;
    uint64_t so_far = 0;
    for (size_t i = 0; i < count; i++)
        all += weight_of_sample(json_array_get(samples, i));
    for (size_t i = 0; i < count; i++) {
        json_t *sample = json_array_get(samples, i);
        uint64_t before = part_of(event->weight_ns, so_far, all);
        so_far += weight_of_sample(sample);
        uint64_t after = i + 1 == count ? event->weight_ns : part_of(event->weight_ns, so_far, all);
        (void)add_part(model, event, lh_intern_stack(model, sample, true), after - before);
    }
}

static bool has_stack(const json_t *part)
{
    return json_object_get(part, "stack") != NULL || json_object_get(part, "stack_id") != NULL;
}

static void add_parts(struct lh_export_model *model, struct lh_export_event *event, json_t *json)
{
    const json_t *samples = json_object_get(json, "samples");
    size_t count = json_array_size(samples);
    count = count < SAMPLES_MAX ? count : SAMPLES_MAX;
    if (model->part_count + SAMPLES_MAX > LH_EXPORT_PARTS_MAX)
        lh_model_make_room(model);
    event->first_part = model->part_count;
    event->part_count = 0;
    if (!has_stack(json) && count > 0)
        add_samples(model, event, samples, count);
    else
        (void)add_part(model, event, lh_intern_stack(model, json, false), event->weight_ns);
}

static void add_split(struct lh_export_model *model, struct lh_export_event *event,
                      const json_t *json)
{
    event->split = LH_EXPORT_NO_SPLIT;
    if (!json_is_number(json_object_get(json, "oncpu_ms")) ||
        !lh_table_grow(model, (void **)&model->splits, model->split_count,
                       &model->tables->split_room, sizeof(*model->splits), LH_EXPORT_EVENTS_MAX))
        return;
    event->split = model->split_count;
    model->splits[model->split_count++] =
        (struct lh_export_split){.oncpu_ns = lh_model_ns(json, "oncpu_ms"),
                                 .blocked_ns = lh_model_ns(json, "blocked_ms"),
                                 .runqueue_ns = lh_model_ns(json, "runqueue_ms"),
                                 .throttled_ns = lh_model_ns(json, "throttled_ms"),
                                 .gil_ns = lh_model_ns(json, "gil_ms")};
}

static bool is_word(const json_t *event, const char *name, const char *word)
{
    const char *value = lh_string_of(event, name);
    return value != NULL && strcmp(value, word) == 0;
}

/* When, how long, and what can be said in a word. */
static struct lh_export_event times_of(const json_t *json, uint32_t thread, bool in_flight)
{
    int64_t end_ns = time_of(json, "time", 0);
    uint64_t ns = lh_model_ns(json, "duration_ms");
    return (struct lh_export_event){
        .start_ns = time_of(json, "start", end_ns - (int64_t)ns),
        .end_ns = end_ns,
        .duration_ns = ns,
        .weight_ns = ns,
        .count = 1,
        .id = lh_model_u32(json, "id"),
        .thread = thread,
        .place = LH_EXPORT_NO_PLACE,
        .split = LH_EXPORT_NO_SPLIT,
        .kind = lh_string_of(json, "call") != NULL ? LH_EXPORT_BLOCK : LH_EXPORT_STALL,
        .strict = is_word(json, "reason", "strict"),
        .unended = in_flight || json_is_false(json_object_get(json, "ended")),
        .in_flight = in_flight,
        .severe = is_word(json, "severity", "error"),
        .known = json_is_true(json_object_get(json, "known")),
        .suppressed = json_is_object(json_object_get(json, "suppressed"))};
}

static void put_words(struct lh_export_model *model, struct lh_export_event *event,
                      const json_t *json)
{
    const json_t *trace = json_object_get(json, "trace");
    event->call = lh_model_text(model, json, "call");
    event->group = lh_model_text(model, json, "group");
    event->error = lh_model_text(model, json, "errno");
    event->resource = lh_resource_text(model, json_object_get(json, "resource"));
    event->task = task_of(model, json_object_get(json, "task"));
    event->work = work_of(model, json);
    event->test = lh_model_text(model, json, "test");
    event->trace = lh_model_text(model, trace, "trace_id");
    event->span = lh_model_text(model, trace, "span_id");
    event->labels = lh_labels_text(model, json_object_get(json, "labels"));
    event->note = lh_model_text(model, json, "note");
}

static void put_others(struct lh_export_model *model, struct lh_export_event *event, json_t *json)
{
    json_t *holder = json_object_get(json, "holder");
    const json_t *victims = json_object_get(json, "victims");
    event->holder = holder_of(model, holder);
    event->holder_stack = lh_intern_stack(model, holder, false);
    event->deadlock = json_is_true(json_object_get(holder, "deadlock"));
    event->victims = lh_model_u32(victims, "ready");
    event->waited_ns = lh_model_ns(victims, "waited_ms");
}

/* In the place of what was in flight before, or as one more. */
static void put_event(struct lh_export_model *model, const struct lh_export_event *event,
                      uint64_t key)
{
    struct lh_export_tables *tables = model->tables;
    uint32_t number = lh_ids_find_key(&tables->event_ids, key);
    if (number != LH_NO_NUMBER && model->events[number].in_flight) {
        model->events[number] = *event;
        return;
    }
    if (!lh_table_grow(model, (void **)&model->events, model->event_count, &tables->event_room,
                       sizeof(*model->events), LH_EXPORT_EVENTS_MAX))
        return;
    if (event->in_flight || event->strict)
        (void)lh_ids_add_key(&tables->event_ids, key, model->event_count);
    model->events[model->event_count++] = *event;
}

void lh_model_event(struct lh_export_model *model, json_t *json, const char *type)
{
    uint32_t thread = lh_model_thread(model, json);
    if (thread == LH_NO_NUMBER) {
        model->left_out.threads++;
        return;
    }
    struct lh_export_event event = times_of(json, thread, strcmp(type, "inflight") == 0);
    if (event.in_flight && event.suppressed)
        return; /* its block or stall says it again */
    if (model->event_count == LH_EXPORT_EVENTS_MAX || model->split_count == LH_EXPORT_EVENTS_MAX)
        lh_model_make_room(model);
    put_words(model, &event, json);
    put_others(model, &event, json);
    add_parts(model, &event, json);
    add_split(model, &event, json);
    if (event.part_count == 0)
        return; /* there is no memory, which is said in the end */
    event.place = lh_model_place(model, json, &event);
    put_event(model, &event, key_of(model, thread, event.id));
    if (!event.in_flight)
        lh_model_count(model, &event);
}

/* Adds to what an event of strict mode weighs, and to its only part. */
static void add_weight(struct lh_export_model *model, struct lh_export_event *event, uint32_t count,
                       uint64_t ns)
{
    struct lh_export_event more = *event;
    more.count = count;
    more.weight_ns = ns;
    lh_model_count(model, &more);
    event->count = count < COUNT_MAX - event->count ? event->count + count : COUNT_MAX;
    event->weight_ns += ns;
    model->parts[event->first_part].ns += ns;
}

void lh_model_repeated(struct lh_export_model *model, const json_t *json)
{
    uint32_t thread = lh_model_thread(model, json);
    uint64_t count = lh_model_u64(json, "count");
    if (thread == LH_NO_NUMBER || count == 0)
        return;
    uint64_t key = key_of(model, thread, lh_model_u32(json, "id"));
    uint32_t number = lh_ids_find_key(&model->tables->event_ids, key);
    if (number != LH_NO_NUMBER && model->events[number].strict && !model->events[number].in_flight)
        add_weight(model, &model->events[number], count < COUNT_MAX ? (uint32_t)count : COUNT_MAX,
                   lh_model_ns(json, "total_ms"));
}
