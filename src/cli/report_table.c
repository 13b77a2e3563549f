/* SPDX-License-Identifier: Apache-2.0 */
/* The worst offenders of a report. See report.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"

#define COUNT_MAX     999999999999ULL /* of the last line: what says more is no count */
#define KEY_BYTES     (2 * LH_WHAT_BYTES)
#define ADVICE_COLUMN 36              /* below the call */

struct offender {
    struct lh_row row;
    uint64_t count;
    double total_ms;
    double worst_ms;
};

struct lh_table {
    const struct lh_by *by;
    struct lh_book *book;
    bool advice;      /* is shown */
    bool events_only; /* what summaries say does not count */
    struct offender *rows;
    uint32_t count;
    json_t *index;     /* key: the number of its row */
    json_t *in_flight; /* "pid id": a wait of which no end has been read */
    json_t *processes; /* pids */
    json_t *rows_of;   /* "pid id": the number of the row of that report of strict mode */
    json_t *untold;    /* pid: its blocks and stalls of which no summary has been read */
    uint64_t blocks;
    uint64_t stalls;
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
    table->index = json_object();
    table->in_flight = json_object();
    table->processes = json_object();
    table->untold = json_object();
    table->rows_of = json_object();
    if (table->rows_of != NULL && table->index != NULL && table->in_flight != NULL && table->processes != NULL &&
        table->untold != NULL)
        return table;
    lh_table_free(table);
    return NULL;
}

void lh_table_free(struct lh_table *table)
{
    if (table == NULL)
        return;
    json_decref(table->index);
    json_decref(table->in_flight);
    json_decref(table->processes);
    json_decref(table->untold);
    json_decref(table->rows_of);
    free(table->rows);
    free(table);
}

/* The row of this key: an old one, or a new one behind the last. */
static struct offender *find_row(struct lh_table *table, const struct lh_row *made)
{
    json_t *number = json_object_get(table->index, made->key);
    if (number != NULL)
        return &table->rows[json_integer_value(number)];
    struct offender *rows = reallocarray(table->rows, table->count + 1, sizeof(*rows));
    if (rows == NULL)
        return NULL;
    table->rows = rows;
    rows[table->count] = (struct offender){.row = *made};
    json_object_set_new_nocheck(table->index, made->key, json_integer(table->count));
    return &rows[table->count++];
}

static double ms_of(const json_t *event, const char *name)
{
    double ms = json_number_value(json_object_get(event, name));
    return ms > 0 ? ms : 0;
}

/* Returns the number of its row; negative: there is no memory. */
static json_int_t add_offence(struct lh_table *table, const json_t *event)
{
    struct lh_row made;
    const struct lh_place *place =
        table->by->name == NULL ? lh_book_place(table->book, event) : NULL;
    lh_by_row(table->by, event, place, table->cwd, &made);
    struct offender *offender = find_row(table, &made);
    if (offender == NULL)
        return -1;
    double ms = ms_of(event, "duration_ms");
    offender->row = made; /* the line may have moved since */
    offender->count++;
    offender->total_ms += ms;
    if (ms > offender->worst_ms)
        offender->worst_ms = ms;
    return offender - table->rows;
}

/* The number of this name, of digits: keys are text. */
static void put_number(struct lh_text *key, const json_t *event, const char *name)
{
    lh_text_format(key, "%" JSON_INTEGER_FORMAT " ",
                   json_integer_value(json_object_get(event, name)));
}

static void add_summary(struct lh_table *table, const json_t *event)
{
    static const char *const names[] = {"blocks", "stalls", "dropped"};
    uint64_t *sums[] = {&table->blocks, &table->stalls, &table->dropped};
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

/* A process that is killed has a summary only where a collector outlives it. */
static void count_untold(struct lh_table *table, const char *pid, const json_t *event,
                         json_int_t more)
{
    const char *kind = is_iteration(event) ? "stalls" : "blocks";
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

static void note_process(struct lh_table *table, const char *pid, const json_t *event,
                         const char *type)
{
    if (strcmp(type, "start") == 0) {
        json_object_set_new(table->processes, pid, json_true());
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
    put_key(key, pid, event);
    json_object_set_new(table->processes, pid, json_true());
    if (json_object_get(table->in_flight, key) == NULL)
        count_untold(table, pid, event, 1);
    if (strcmp(type, "inflight") == 0) {
        json_object_set(table->in_flight, key, event);
        return;
    }
    json_object_del(table->in_flight, key);
    json_int_t row = add_offence(table, event);
    if (row >= 0 && is_strict(event))
        json_object_set_new(table->rows_of, key, json_integer(row));
}

void lh_table_add(struct lh_table *table, json_t *event)
{
    char pid[LH_WHAT_BYTES];
    struct lh_text text;
    const char *type = lh_string_of(event, "type");
    if (type == NULL)
        return;
    lh_text_init(&text, pid, sizeof(pid));
    put_number(&text, event, "pid");
    note_process(table, pid, event, type);
    if (strcmp(type, "inflight") == 0 || strcmp(type, "block") == 0 || strcmp(type, "stall") == 0)
        note_offence(table, pid, event, type);
    else if (strcmp(type, "repeated") == 0)
        note_repeated(table, pid, event);
}

static int by_total(const void *left, const void *right)
{
    const struct offender *a = left;
    const struct offender *b = right;
    return (a->total_ms < b->total_ms) - (a->total_ms > b->total_ms);
}

static int widest(const struct lh_table *table, uint32_t most, size_t offset)
{
    size_t width = 0;
    for (uint32_t i = 0; i < most; i++) {
        size_t own = lh_text_width((const char *)&table->rows[i].row + offset);
        width = own > width ? own : width;
    }
    return (int)width;
}

/* In nine columns, whatever a file says. */
static void print_ms(double ms)
{
    if (ms < 9999999)
        printf("%9.1f ms ", ms);
    else if (ms < 999999999)
        printf("%9.0f ms ", ms);
    else
        printf("%9.2e ms ", ms);
}

static void print_rows(const struct lh_table *table, uint32_t most)
{
    bool calls = table->by->name == NULL;
    int what = widest(table, most, offsetof(struct lh_row, what));
    int where = widest(table, most, offsetof(struct lh_row, where));
    printf("%12s %12s %8s  ", "TOTAL", "WORST", "COUNT");
    if (calls)
        printf("%-*s  ", what, "CALL");
    printf("%s\n", table->by->heading);
    for (uint32_t i = 0; i < most; i++) {
        const struct offender *one = &table->rows[i];
        const struct lh_row *row = &one->row;
        int padding = row->source[0] != '\0' ? where - (int)lh_text_width(row->where) + 2 : 0;
        print_ms(one->total_ms);
        print_ms(one->worst_ms);
        printf("%8" PRIu64 "  ", one->count);
        if (calls)
            printf("%-*s  ", what, row->what);
        printf("%s%*s%s\n", row->where, padding, "", row->source);
        if (table->advice && row->advice[0] != '\0')
            printf("%*sadvice: %s\n", ADVICE_COLUMN, "", row->advice);
    }
}

void lh_table_show_advice(struct lh_table *table)
{
    table->advice = true;
}

void lh_table_count_events(struct lh_table *table)
{
    table->events_only = true;
}

void lh_table_print(struct lh_table *table, uint32_t most)
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
    if (most == 0 || most > table->count)
        most = table->count;
    if (most > 0)
        print_rows(table, most);
    if (most < table->count)
        printf("... and %" PRIu32 " more (--top 0 shows them)\n", table->count - most);
    size_t processes = json_object_size(table->processes);
    printf("%zu process%s, %" PRIu64 " block%s, %" PRIu64 " stall%s, %" PRIu64 " dropped\n",
           processes, processes == 1 ? "" : "es", table->blocks, table->blocks == 1 ? "" : "s",
           table->stalls, table->stalls == 1 ? "" : "s", table->dropped);
}
