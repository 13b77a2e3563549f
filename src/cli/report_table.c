/* SPDX-License-Identifier: Apache-2.0 */
/* The worst offenders of a report. See report.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "cli/report_ids.h"
#include "collect/sink/text_parts.h"
#include "common/fnv.h"

#define COUNT_MAX  999999999999ULL /* of the last line: what says more is no count */
#define KEY_BYTES  (2 * LH_WHAT_BYTES)
#define ROWS_LEAST 16u

/* One string behind the other, for there may be very many. */
enum part { WHAT, WHERE, SOURCE, ADVICE, ON, PARTS };

struct offender {
    uint64_t key;
    char *parts;
    uint64_t count;
    double total_ms;
    double worst_ms;
};

struct lh_table {
    const struct lh_by *by;
    struct lh_book *book;
    bool events_only; /* what summaries say does not count */
    struct offender *rows;
    uint32_t count;
    uint32_t room;
    struct lh_ids keys; /* of the rows: their numbers */
    json_t *in_flight;  /* "pid id": a wait of which no end has been read */
    json_t *processes;  /* pids */
    json_t *rows_of;    /* "pid id": the number of the row of that report of strict mode */
    json_t *untold;     /* pid: its blocks and stalls of which no summary has been read */
    json_t *bases;      /* pid: where its project is */
    uint64_t blocks;
    uint64_t stalls;
    uint64_t suppressed;
    uint64_t dropped;
    char cwd[PATH_MAX];
};

struct lh_table *lh_table_new(const struct lh_by *by, struct lh_book *book)
{
    struct lh_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    table->by = by;
    table->book = book;
    if (getcwd(table->cwd, sizeof(table->cwd)) == NULL)
        table->cwd[0] = '\0';
    table->in_flight = json_object();
    table->processes = json_object();
    table->untold = json_object();
    table->rows_of = json_object();
    table->bases = json_object();
    if (table->in_flight != NULL && table->processes != NULL && table->rows_of != NULL &&
        table->untold != NULL && table->bases != NULL)
        return table;
    lh_table_free(table);
    return NULL;
}

void lh_table_free(struct lh_table *table)
{
    if (table == NULL)
        return;
    lh_ids_free(&table->keys);
    json_decref(table->in_flight);
    json_decref(table->processes);
    json_decref(table->untold);
    json_decref(table->rows_of);
    json_decref(table->bases);
    for (uint32_t i = 0; i < table->count; i++)
        free(table->rows[i].parts);
    free(table->rows);
    free(table);
}

static const char *part_of(const struct offender *offender, enum part part)
{
    const char *text = offender->parts;
    for (int i = 0; i < (int)part; i++)
        text += strlen(text) + 1;
    return text;
}

static bool are_parts(const struct offender *offender, const char *const parts[PARTS])
{
    int i = 0;
    while (offender->parts != NULL && i < PARTS &&
           strcmp(part_of(offender, (enum part)i), parts[i]) == 0)
        i++;
    return i == PARTS;
}

/* False: there is no memory, and what stood there stays. */
static bool put_parts(struct offender *offender, const struct lh_row *row)
{
    const char *const parts[PARTS] = {row->what, row->where, row->source, row->advice, row->on};
    char *copy;
    if (are_parts(offender, parts))
        return true;
    if (asprintf(&copy, "%s%c%s%c%s%c%s%c%s", parts[0], 0, parts[1], 0, parts[2], 0, parts[3], 0,
                 parts[4]) < 0)
        return false;
    free(offender->parts);
    offender->parts = copy;
    return true;
}

/* The row of this key: an old one, or a new one behind the last. */
static struct offender *find_row(struct lh_table *table, const struct lh_row *made)
{
    uint32_t number = lh_ids_find(&table->keys, made->key);
    if (number != LH_NO_NUMBER)
        return &table->rows[number];
    if (table->count == table->room) {
        uint32_t room = table->count + table->count / 2 + ROWS_LEAST;
        struct offender *rows = reallocarray(table->rows, room, sizeof(*rows));
        if (rows == NULL)
            return NULL;
        table->rows = rows;
        table->room = room;
    }
    struct offender *row = &table->rows[table->count];
    *row = (struct offender){.key = lh_fnv(LH_FNV_START, made->key, strlen(made->key))};
    if (!put_parts(row, made))
        return NULL;
    if (!lh_ids_add(&table->keys, made->key, table->count)) {
        free(row->parts);
        return NULL;
    }
    table->count++;
    return row;
}

static double ms_of(const json_t *event, const char *name)
{
    double ms = json_number_value(json_object_get(event, name));
    return ms > 0 ? ms : 0;
}

/* The number of this name, of digits: keys are text. */
static void put_number(struct lh_text *key, const json_t *event, const char *name)
{
    lh_text_format(key, "%" JSON_INTEGER_FORMAT " ",
                   json_integer_value(json_object_get(event, name)));
}

static void put_pid(char pid[LH_WHAT_BYTES], const json_t *event)
{
    struct lh_text text;
    lh_text_init(&text, pid, LH_WHAT_BYTES);
    put_number(&text, event, "pid");
}

/* Where names of files begin: here, or where rows are compared, in the project of the program. */
static const char *base_of(const struct lh_table *table, const json_t *event)
{
    char pid[LH_WHAT_BYTES];
    if (!table->by->loose)
        return table->cwd;
    put_pid(pid, event);
    const char *base = lh_string_of(table->bases, pid);
    return base != NULL ? base : table->cwd;
}

/* Returns the number of its row; negative: there is no memory. */
static json_int_t add_offence(struct lh_table *table, const json_t *event)
{
    struct lh_row made;
    const struct lh_place *place =
        table->by->name == NULL ? lh_book_place(table->book, event) : NULL;
    lh_by_row(table->by, event, place, base_of(table, event), &made);
    struct offender *offender = find_row(table, &made);
    if (offender == NULL)
        return -1;
    double ms = ms_of(event, "duration_ms");
    put_parts(offender, &made); /* the line may have moved since */
    offender->count++;
    offender->total_ms += ms;
    if (ms > offender->worst_ms)
        offender->worst_ms = ms;
    return offender - table->rows;
}

static void add_summary(struct lh_table *table, const json_t *event)
{
    static const char *const names[] = {"blocks", "stalls", "suppressed", "dropped"};
    uint64_t *sums[] = {&table->blocks, &table->stalls, &table->suppressed, &table->dropped};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_int_t number = json_integer_value(json_object_get(event, names[i]));
        uint64_t added = number > 0 ? (uint64_t)number : 0;
        *sums[i] += added < COUNT_MAX - *sums[i] ? added : COUNT_MAX - *sums[i];
    }
}

/* Only a call has one. */
static bool is_iteration(const json_t *event)
{
    return lh_string_of(event, "call") == NULL;
}

/* A rule kept it quiet: it is counted, and has no row. */
static bool is_suppressed(const json_t *event)
{
    return json_is_object(json_object_get(event, "suppressed"));
}

/* A process that is killed has a summary only where a collector outlives it. */
static void count_untold(struct lh_table *table, const char *pid, const json_t *event,
                         json_int_t more)
{
    const char *kind = is_suppressed(event)  ? "suppressed"
                       : is_iteration(event) ? "stalls"
                                             : "blocks";
    json_t *counts = json_object_get(table->untold, pid);
    if (counts == NULL) {
        counts = json_object();
        json_object_set_new(table->untold, pid, counts);
    }
    json_int_t count = json_integer_value(json_object_get(counts, kind));
    json_object_set_new(counts, kind, json_integer(count + more));
}

static void add_untold(struct lh_table *table, const char *pid)
{
    add_summary(table, json_object_get(table->untold, pid));
    json_object_del(table->untold, pid);
}

static void note_base(struct lh_table *table, const char *pid, const json_t *event)
{
    const char *root = lh_string_of(event, "root");
    const char *base = root != NULL ? root : lh_string_of(event, "cwd");
    if (base != NULL)
        json_object_set_new(table->bases, pid, json_string(base));
}

static void note_process(struct lh_table *table, const char *pid, const json_t *event,
                         const char *type)
{
    if (strcmp(type, "start") == 0) {
        json_object_set_new(table->processes, pid, json_true());
        note_base(table, pid, event);
        add_untold(table, pid); /* of what it was before an exec */
    } else if (strcmp(type, "summary") == 0 && !table->events_only) {
        add_summary(table, event);
        json_object_del(table->untold, pid);
    }
}

/* "pid id" */
static void put_key(char key[KEY_BYTES], const char *pid, const json_t *event)
{
    struct lh_text text;
    lh_text_init(&text, key, KEY_BYTES);
    lh_text_string(&text, pid);
    put_number(&text, event, "id");
}

/* More calls at the place of a report that has been read. */
static void note_repeated(struct lh_table *table, const char *pid, const json_t *event)
{
    char key[KEY_BYTES];
    put_key(key, pid, event);
    const json_t *number = json_object_get(table->rows_of, key);
    json_int_t count = json_integer_value(json_object_get(event, "count"));
    if (number == NULL || count <= 0)
        return;
    struct offender *offender = &table->rows[json_integer_value(number)];
    uint64_t room = COUNT_MAX - offender->count;
    offender->count += (uint64_t)count < room ? (uint64_t)count : room;
    offender->total_ms += ms_of(event, "total_ms");
    count_untold(table, pid, event, count < (json_int_t)COUNT_MAX ? count : (json_int_t)COUNT_MAX);
}

static bool is_strict(const json_t *event)
{
    const char *reason = lh_string_of(event, "reason");
    return reason != NULL && strcmp(reason, "strict") == 0;
}

/* A wait in flight or its end, or one that was not told before it had ended. */
static void note_offence(struct lh_table *table, const char *pid, json_t *event, const char *type)
{
    char key[KEY_BYTES];
    bool lasts = strcmp(type, "inflight") == 0;
    put_key(key, pid, event);
    json_object_set_new(table->processes, pid, json_true());
    if (is_suppressed(event) && lasts)
        return;
    if (json_object_get(table->in_flight, key) == NULL)
        count_untold(table, pid, event, 1);
    if (lasts) {
        json_object_set(table->in_flight, key, event);
        return;
    }
    json_object_del(table->in_flight, key);
    if (is_suppressed(event))
        return;
    json_int_t row = add_offence(table, event);
    if (row >= 0 && is_strict(event))
        json_object_set_new(table->rows_of, key, json_integer(row));
}

/* The program has said what it all came to. An iteration that was told in flight and has no end in
 * a line was no stall in the end: its blocks account for it. */
static void forget_iterations(struct lh_table *table, const char *pid)
{
    size_t length = strlen(pid);
    const char *key;
    json_t *wait;
    void *next;
    json_object_foreach_safe(table->in_flight, next, key, wait)
    {
        if (strncmp(key, pid, length) == 0 && lh_string_of(wait, "call") == NULL)
            json_object_del(table->in_flight, key);
    }
}

void lh_table_add(struct lh_table *table, json_t *event)
{
    char pid[LH_WHAT_BYTES];
    const char *type = lh_string_of(event, "type");
    if (type == NULL)
        return;
    put_pid(pid, event);
    note_process(table, pid, event, type);
    if (strcmp(type, "inflight") == 0 || strcmp(type, "block") == 0 || strcmp(type, "stall") == 0)
        note_offence(table, pid, event, type);
    else if (strcmp(type, "repeated") == 0)
        note_repeated(table, pid, event);
    else if (strcmp(type, "summary") == 0)
        forget_iterations(table, pid);
}

static int by_total(const void *left, const void *right)
{
    const struct offender *a = left;
    const struct offender *b = right;
    return (a->total_ms < b->total_ms) - (a->total_ms > b->total_ms);
}

void lh_table_count_events(struct lh_table *table)
{
    table->events_only = true;
}

/* Waits of which no end was read, and processes without a summary, count as they are. */
void lh_table_end(struct lh_table *table)
{
    json_t *waits = table->in_flight;
    for (void *at = json_object_iter(waits); at != NULL; at = json_object_iter_next(waits, at))
        (void)add_offence(table, json_object_iter_value(at));
    json_object_clear(waits);
    void *next;
    for (void *at = json_object_iter(table->untold); at != NULL; at = next) {
        next = json_object_iter_next(table->untold, at);
        add_untold(table, json_object_iter_key(at));
    }
    if (table->count > 0)
        qsort(table->rows, table->count, sizeof(*table->rows), by_total);
}

uint32_t lh_table_rows(const struct lh_table *table)
{
    return table->count;
}

struct lh_offence lh_table_row(const struct lh_table *table, uint32_t index)
{
    const struct offender *row = &table->rows[index];
    return (struct lh_offence){.key = row->key,
                               .what = part_of(row, WHAT),
                               .where = part_of(row, WHERE),
                               .source = part_of(row, SOURCE),
                               .advice = part_of(row, ADVICE),
                               .on = part_of(row, ON),
                               .count = row->count,
                               .total_ms = row->total_ms,
                               .worst_ms = row->worst_ms};
}

struct lh_sums lh_table_sums(const struct lh_table *table)
{
    return (struct lh_sums){.processes = json_object_size(table->processes),
                            .blocks = table->blocks,
                            .stalls = table->stalls,
                            .suppressed = table->suppressed,
                            .dropped = table->dropped};
}
