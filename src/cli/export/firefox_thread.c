/* SPDX-License-Identifier: Apache-2.0 */
/* A thread of Firefox's profiler: tables of its own for strings, functions, frames and stacks, in
 * columns, and samples and markers that name their rows. See firefox_thread.h. */
#include "cli/export/firefox_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/flame.h"
#include "cli/export/timeline.h"
#include "cli/report_ids.h"
#include "common/mix.h"
#include "common/options.h"

#define NONE UINT32_MAX

/* A call is a frame of its own, and what it was called in, too. */
struct row {
    uint32_t a;
    uint32_t b;
    bool is_call;
};

/* What the thread has met, each once, and what it stands for. */
struct table {
    struct lh_ids ids;
    struct row *rows;
    uint32_t count;
    uint32_t room;
};

struct sample {
    int64_t at_ns;
    uint64_t ns;
    uint32_t stack;
};

struct thread {
    const struct lh_export_model *model;
    struct table strings;   /* a: string of the model; is_call: its "[call]" */
    struct table functions; /* a: row of the name, b: of the file, or NONE */
    struct table frames;    /* a: row of the function, b: frame of the model; is_call: the call */
    struct table stacks;    /* a: row of the outer one, or NONE, b: row of the frame */
    struct sample *samples;
    uint32_t sample_count;
    struct lh_firefox_marker *markers;
    bool out_of_memory;
};

static uint32_t add_row(struct thread *thread, struct table *table, uint64_t key, struct row row)
{
    uint32_t number = lh_ids_find_key(&table->ids, key);
    if (number != LH_NO_NUMBER)
        return number;
    if (table->count == table->room) {
        uint32_t room = table->room + table->room / 2 + 64;
        struct row *rows = reallocarray(table->rows, room, sizeof(*rows));
        if (rows == NULL) {
            thread->out_of_memory = true;
            return 0;
        }
        table->rows = rows;
        table->room = room;
    }
    thread->out_of_memory |= !lh_ids_add_key(&table->ids, key, table->count);
    table->rows[table->count] = row;
    return table->count++;
}

static uint32_t add_to(struct thread *thread, struct table *table, struct row row)
{
    uint64_t key = lh_mix(1 + row.is_call, (uint64_t)row.a << 32 | row.b);
    return add_row(thread, table, key, row);
}

static uint32_t string_row(struct thread *thread, uint32_t string, bool is_call)
{
    return add_to(thread, &thread->strings, (struct row){string, 0, is_call});
}

static uint32_t frame_row(struct thread *thread, uint32_t number)
{
    const struct lh_export_frame *frame = &thread->model->frames[number];
    uint32_t file = frame->file != 0 ? frame->file : frame->module;
    struct row function = {.a = string_row(thread, frame->name, false),
                           .b = file != 0 ? string_row(thread, file, false) : NONE};
    return add_to(thread, &thread->frames,
                  (struct row){add_to(thread, &thread->functions, function), number, false});
}

static uint32_t call_row(struct thread *thread, uint32_t call)
{
    struct row function = {.a = string_row(thread, call, true), .b = NONE};
    return add_to(thread, &thread->frames,
                  (struct row){add_to(thread, &thread->functions, function), call, true});
}

static uint32_t stack_row(struct thread *thread, uint32_t stack, uint32_t call)
{
    uint32_t frames[LH_FLAME_FRAMES_MAX];
    uint32_t count = lh_flame_frames(thread->model, thread->model->nodes[stack].flame, frames);
    uint32_t outer = NONE;
    for (uint32_t i = count; i > 0; i--)
        outer = add_to(thread, &thread->stacks,
                       (struct row){outer, frame_row(thread, frames[i - 1]), false});
    return add_to(thread, &thread->stacks, (struct row){outer, call_row(thread, call), false});
}

static int by_time(const void *left, const void *right)
{
    const struct sample *a = left;
    const struct sample *b = right;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

/* A stall's samples come one behind the other: when each was taken is not known. */
static void take_samples(struct thread *thread, const uint32_t *events, uint32_t count)
{
    const struct lh_export_model *model = thread->model;
    uint32_t parts = 0;
    for (uint32_t i = 0; i < count; i++)
        parts += model->events[events[i]].part_count;
    thread->samples = calloc(parts + 1u, sizeof(*thread->samples));
    thread->markers = calloc(count + 1u, sizeof(*thread->markers));
    if (thread->samples == NULL || thread->markers == NULL) {
        thread->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct lh_export_event *event = &model->events[events[i]];
        int64_t at_ns = event->start_ns - model->totals.first_ns;
        uint32_t first = thread->sample_count; /* stands for most, as events have it */
        for (uint32_t p = 0; p < event->part_count; p++) {
            const struct lh_export_part *part = &model->parts[event->first_part + p];
            thread->samples[thread->sample_count++] =
                (struct sample){at_ns, part->ns, stack_row(thread, part->stack, event->call)};
            if (event->count == 1) /* what was repeated came later */
                at_ns += (int64_t)part->ns;
        }
        thread->markers[i] =
            (struct lh_firefox_marker){.event = events[i],
                                       .name = string_row(thread, event->call, false),
                                       .stack = thread->samples[first].stack};
    }
    qsort(thread->samples, thread->sample_count, sizeof(*thread->samples), by_time);
}

static void put_strings(struct lh_put *put, const struct thread *thread)
{
    char leaf[LH_EXPORT_STRING_MAX + 2];
    lh_put_key(put, "stringArray");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < thread->strings.count; i++) {
        const char *text = lh_export_what(thread->model, thread->strings.rows[i].a);
        (void)snprintf(leaf, sizeof(leaf), thread->strings.rows[i].is_call ? "[%s]" : "%s", text);
        lh_put_string(put, leaf);
    }
    lh_put_close(put, ']');
}

/* Columns are one array for each member: here what each row of a table has in one. */
enum column {
    COLUMN_NONE, /* null */
    COLUMN_ZERO,
    COLUMN_MINUS,
    COLUMN_FALSE,
    COLUMN_A, /* NONE is null */
    COLUMN_B,
    COLUMN_LINE,
    COLUMN_FRAME_CATEGORY,
    COLUMN_STACK_CATEGORY
};

static uint32_t category_of(const struct thread *thread, uint32_t frame_row_number)
{
    const struct row *row = &thread->frames.rows[frame_row_number];
    if (row->is_call)
        return row->b != 0 ? LH_FIREFOX_BLOCKED : LH_FIREFOX_STALLED;
    const struct lh_export_frame *frame = &thread->model->frames[row->b];
    if (frame->kind == LH_FRAME_USER || frame->kind == LH_FRAME_OWN_NATIVE)
        return LH_FIREFOX_USER;
    return frame->lang != LH_LANG_NATIVE ? LH_FIREFOX_SCRIPT : LH_FIREFOX_OTHER;
}

static void put_row_number(struct lh_put *put, uint32_t number)
{
    if (number == NONE)
        lh_put_null(put);
    else
        lh_put_u64(put, number);
}

static void put_cell(struct lh_put *put, const struct thread *thread, const struct table *table,
                     enum column column, uint32_t i)
{
    const struct row *row = &table->rows[i];
    const struct lh_export_frame *frame =
        column == COLUMN_LINE && !row->is_call ? &thread->model->frames[row->b] : NULL;
    switch (column) {
    case COLUMN_NONE:
        lh_put_null(put);
        break;
    case COLUMN_ZERO:
        lh_put_u64(put, 0);
        break;
    case COLUMN_MINUS:
        lh_put_i64(put, -1);
        break;
    case COLUMN_FALSE:
        lh_put_bool(put, false);
        break;
    case COLUMN_A:
        put_row_number(put, row->a);
        break;
    case COLUMN_B:
        put_row_number(put, row->b);
        break;
    case COLUMN_LINE:
        put_row_number(put, frame != NULL && frame->line != 0 ? frame->line : NONE);
        break;
    case COLUMN_FRAME_CATEGORY:
        lh_put_u64(put, category_of(thread, i));
        break;
    case COLUMN_STACK_CATEGORY:
        lh_put_u64(put, category_of(thread, row->b));
        break;
    }
}

struct named_column {
    const char *name;
    enum column column;
};

static void put_table(struct lh_put *put, const struct thread *thread, const char *name,
                      const struct table *table, const struct named_column *columns, size_t count)
{
    lh_put_key(put, name);
    lh_put_open(put, '{');
    for (size_t c = 0; c < count; c++) {
        lh_put_key(put, columns[c].name);
        lh_put_open(put, '[');
        for (uint32_t i = 0; i < table->count; i++)
            put_cell(put, thread, table, columns[c].column, i);
        lh_put_close(put, ']');
    }
    lh_put_number(put, "length", table->count);
    lh_put_close(put, '}');
}

#define PUT_TABLE(name, table, ...)                                                                \
    put_table(put, thread, name, table, (const struct named_column[]){__VA_ARGS__},                \
              sizeof((const struct named_column[]){__VA_ARGS__}) / sizeof(struct named_column))

static void put_tables(struct lh_put *put, const struct thread *thread)
{
    const struct table none = {0};
    PUT_TABLE("stackTable", &thread->stacks, {"frame", COLUMN_B}, {"prefix", COLUMN_A},
              {"category", COLUMN_STACK_CATEGORY}, {"subcategory", COLUMN_ZERO});
    PUT_TABLE("frameTable", &thread->frames, {"address", COLUMN_MINUS},
              {"inlineDepth", COLUMN_ZERO}, {"category", COLUMN_FRAME_CATEGORY},
              {"subcategory", COLUMN_ZERO}, {"func", COLUMN_A}, {"nativeSymbol", COLUMN_NONE},
              {"innerWindowID", COLUMN_ZERO}, {"implementation", COLUMN_NONE},
              {"line", COLUMN_LINE}, {"column", COLUMN_NONE});
    PUT_TABLE("funcTable", &thread->functions, {"isJS", COLUMN_FALSE},
              {"relevantForJS", COLUMN_FALSE}, {"name", COLUMN_A}, {"resource", COLUMN_MINUS},
              {"fileName", COLUMN_B}, {"lineNumber", COLUMN_NONE}, {"columnNumber", COLUMN_NONE});
    PUT_TABLE("resourceTable", &none, {"lib", COLUMN_NONE}, {"name", COLUMN_NONE},
              {"host", COLUMN_NONE}, {"type", COLUMN_NONE});
    PUT_TABLE("nativeSymbols", &none, {"libIndex", COLUMN_NONE}, {"address", COLUMN_NONE},
              {"name", COLUMN_NONE}, {"functionSize", COLUMN_NONE});
    put_strings(put, thread);
}

static void put_samples(struct lh_put *put, const struct thread *thread)
{
    lh_put_key(put, "samples");
    lh_put_open(put, '{');
    lh_put_key(put, "stack");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < thread->sample_count; i++)
        lh_put_u64(put, thread->samples[i].stack);
    lh_put_close(put, ']');
    lh_put_key(put, "time");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < thread->sample_count; i++)
        lh_put_ms(put, (uint64_t)thread->samples[i].at_ns);
    lh_put_close(put, ']');
    lh_put_key(put, "weight");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < thread->sample_count; i++)
        lh_put_ms(put, thread->samples[i].ns);
    lh_put_close(put, ']');
    lh_put_text(put, "weightType", "tracing-ms");
    lh_put_number(put, "length", thread->sample_count);
    lh_put_close(put, '}');
}

static void put_head(struct lh_put *put, const struct lh_export_model *model, uint32_t number)
{
    char room[16];
    char pid[16];
    const struct lh_export_thread *thread = &model->threads[number];
    const struct lh_export_process *process = &model->processes[thread->process];
    (void)snprintf(pid, sizeof(pid), "%u", process->pid);
    lh_put_text(put, "processType", "default");
    lh_put_text(put, "processName", lh_process_name(model, thread->process));
    lh_put_number(put, "processStartupTime", 0);
    lh_put_key(put, "processShutdownTime");
    lh_put_null(put);
    lh_put_number(put, "registerTime", 0);
    lh_put_key(put, "unregisterTime");
    lh_put_null(put);
    lh_put_key(put, "pausedRanges");
    lh_put_open(put, '[');
    lh_put_close(put, ']');
    lh_put_text(put, "name", lh_thread_name(model, number, room));
    lh_put_key(put, "isMainThread");
    lh_put_bool(put, process->pid == thread->tid);
    lh_put_text(put, "pid", pid);
    lh_put_number(put, "tid", thread->tid);
}

static void free_table(struct table *table)
{
    lh_ids_free(&table->ids);
    free(table->rows);
}

int lh_firefox_put_thread(struct lh_put *put, const struct lh_export_model *model,
                          const uint32_t *events, uint32_t count)
{
    struct thread thread = {.model = model};
    take_samples(&thread, events, count);
    if (!thread.out_of_memory) {
        lh_put_open(put, '{');
        put_head(put, model, model->events[events[0]].thread);
        put_samples(put, &thread);
        lh_firefox_put_markers(put, model, thread.markers, count);
        put_tables(put, &thread);
        lh_put_close(put, '}');
    }
    free_table(&thread.strings);
    free_table(&thread.functions);
    free_table(&thread.frames);
    free_table(&thread.stacks);
    free(thread.samples);
    free(thread.markers);
    return thread.out_of_memory ? -ENOMEM : 0;
}
