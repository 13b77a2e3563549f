/* The worst offenders of a report. See report.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "collect/text_parts.h"

#define WHAT_BYTES  64
#define WHERE_BYTES 256

struct offender {
    char what[WHAT_BYTES];
    char where[WHERE_BYTES];
    char source[WHERE_BYTES];
    uint64_t count;
    double total_ms;
    double worst_ms;
};

struct lh_table {
    struct offender *rows;
    uint32_t count;
    json_t *index;     /* "what where": the number of its row */
    json_t *in_flight; /* "pid id": a wait of which no end has been read */
    json_t *processes; /* pids */
    uint64_t blocks;
    uint64_t stalls;
    uint64_t dropped;
    char cwd[PATH_MAX];
    struct lh_source *source;
};

struct lh_table *lh_table_new(void)
{
    struct lh_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    if (getcwd(table->cwd, sizeof(table->cwd)) == NULL)
        table->cwd[0] = '\0';
    table->index = json_object();
    table->in_flight = json_object();
    table->processes = json_object();
    table->source = lh_source_new(table->cwd);
    if (table->index != NULL && table->in_flight != NULL && table->processes != NULL &&
        table->source != NULL)
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
    lh_source_free(table->source);
    free(table->rows);
    free(table);
}

static void put_clean(struct lh_text *text, const char *string)
{
    lh_text_clean(text, string, strlen(string));
}

static void put_place(struct lh_table *table, const struct lh_frame *place, struct offender *row)
{
    struct lh_text where;
    struct lh_text source;
    lh_text_init(&where, row->where, sizeof(row->where));
    lh_text_init(&source, row->source, sizeof(row->source));
    if (place->file != NULL) {
        lh_text_path(&where, place->file, table->cwd);
        if (place->line != 0)
            lh_text_format(&where, ":%" PRIu32, place->line);
        lh_source_line(table->source, place->file, place->line, &source);
    } else if (place->module != NULL) {
        lh_text_path(&where, place->module, table->cwd);
        if (place->function == NULL)
            lh_text_format(&where, "+0x%" PRIx64, place->offset);
    }
    if (place->function == NULL)
        return;
    if (where.length > 0)
        lh_text_char(&where, ' ');
    put_clean(&where, place->function);
}

static void put_what(const json_t *event, const char *type, struct offender *row)
{
    struct lh_text what;
    const char *call = lh_string_of(event, "call");
    lh_text_init(&what, row->what, sizeof(row->what));
    put_clean(&what, strcmp(type, "stall") == 0 || call == NULL ? "stall" : call);
    if (strcmp(type, "inflight") == 0)
        lh_text_string(&what, " (no end)");
}

/* The row of what happened there: an old one, or this one put behind the last. */
static struct offender *find_row(struct lh_table *table, const struct offender *made)
{
    char key[WHAT_BYTES + WHERE_BYTES];
    snprintf(key, sizeof(key), "%s\n%s", made->what, made->where);
    json_t *number = json_object_get(table->index, key);
    if (number != NULL)
        return &table->rows[json_integer_value(number)];
    struct offender *rows = reallocarray(table->rows, table->count + 1, sizeof(*rows));
    if (rows == NULL)
        return NULL;
    table->rows = rows;
    rows[table->count] = *made;
    json_object_set_new(table->index, key, json_integer(table->count));
    return &rows[table->count++];
}

static void add_offence(struct lh_table *table, const json_t *event, const char *type)
{
    struct lh_frame place;
    struct offender made = {.where = "?"};
    put_what(event, type, &made);
    if (lh_event_place(event, &place))
        put_place(table, &place, &made);
    struct offender *row = find_row(table, &made);
    if (row == NULL)
        return;
    double ms = json_number_value(json_object_get(event, "duration_ms"));
    row->count++;
    row->total_ms += ms;
    if (ms > row->worst_ms)
        row->worst_ms = ms;
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
        *sums[i] += number > 0 ? (uint64_t)number : 0;
    }
}

void lh_table_add(struct lh_table *table, json_t *event)
{
    char key[WHAT_BYTES];
    struct lh_text text;
    const char *type = lh_string_of(event, "type");
    if (type == NULL)
        return;
    lh_text_init(&text, key, sizeof(key));
    put_number(&text, event, "pid");
    if (strcmp(type, "start") == 0)
        json_object_set_new(table->processes, key, json_true());
    put_number(&text, event, "id"); /* of a wait, and of its end */
    if (strcmp(type, "summary") == 0)
        add_summary(table, event);
    else if (strcmp(type, "inflight") == 0)
        json_object_set(table->in_flight, key, event);
    if (strcmp(type, "block") != 0 && strcmp(type, "stall") != 0)
        return;
    json_object_del(table->in_flight, key);
    add_offence(table, event, type);
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
        size_t own = lh_text_width((const char *)&table->rows[i] + offset);
        width = own > width ? own : width;
    }
    return (int)width;
}

static void print_rows(const struct lh_table *table, uint32_t most)
{
    int what = widest(table, most, offsetof(struct offender, what));
    int where = widest(table, most, offsetof(struct offender, where));
    printf("%12s %12s %8s  %-*s  %s\n", "TOTAL", "WORST", "COUNT", what, "CALL", "WHERE");
    for (uint32_t i = 0; i < most; i++) {
        const struct offender *row = &table->rows[i];
        int padding = row->source[0] != '\0' ? where - (int)lh_text_width(row->where) + 2 : 0;
        printf("%9.1f ms %9.1f ms %8" PRIu64 "  %-*s  %s%*s%s\n", row->total_ms, row->worst_ms,
               row->count, what, row->what, row->where, padding, "", row->source);
    }
}

void lh_table_print(struct lh_table *table, uint32_t most)
{
    json_t *waits = table->in_flight;
    for (void *at = json_object_iter(waits); at != NULL; at = json_object_iter_next(waits, at))
        add_offence(table, json_object_iter_value(at), "inflight");
    json_object_clear(waits);
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
