/* SPDX-License-Identifier: Apache-2.0 */
/* The table of places. Runs on the threads of the rings. See place_table.h. */
#include "collect/sink/place_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/sink/text_fit.h"

#define ROWS_MAX 1024u /* of a program with more, the rest has no row */
#define SHOWN    10u

struct lh_place_table {
    uint32_t count;
    struct lh_place_row *rows[ROWS_MAX];
};

struct lh_place_table *lh_place_table_new(void)
{
    return calloc(1, sizeof(struct lh_place_table));
}

void lh_place_table_free(struct lh_place_table *table)
{
    if (table == NULL)
        return;
    for (uint32_t i = 0; i < table->count; i++)
        free(table->rows[i]);
    free(table);
}

static void fill(struct lh_place_row *row, const struct lh_frame *frame, const char *cwd)
{
    struct lh_text text;
    lh_text_init(&text, row->where, sizeof(row->where));
    if (frame != NULL)
        lh_text_where(&text, frame, cwd);
    if (text.length == 0)
        lh_text_char(&text, '?');
    lh_text_init(&text, row->source, sizeof(row->source));
    if (frame != NULL && frame->source != NULL)
        lh_text_clean(&text, frame->source, strlen(frame->source));
}

struct lh_place_row *lh_place_table_row(struct lh_place_table *table, const char *what,
                                        uint64_t fingerprint, const struct lh_frame *frame,
                                        const char *cwd)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->rows[i]->fingerprint == fingerprint && strcmp(table->rows[i]->what, what) == 0)
            return table->rows[i];
    struct lh_place_row *row = table->count < ROWS_MAX ? calloc(1, sizeof(*row)) : NULL;
    if (row == NULL)
        return NULL;
    row->fingerprint = fingerprint;
    (void)lh_text_copy(row->what, sizeof(row->what), what);
    fill(row, frame, cwd);
    table->rows[table->count++] = row;
    return row;
}

struct lh_place_sums lh_place_table_sums(const struct lh_place_table *table)
{
    struct lh_place_sums sums = {0};
    for (uint32_t i = 0; i < table->count; i++) {
        const struct lh_place_row *row = table->rows[i];
        bool stall = strcmp(row->what, LH_PLACE_STALL) == 0;
        *(stall ? &sums.stalls : &sums.blocks) += row->count;
        uint64_t *sum_ns = stall ? &sums.stalled_ns : &sums.blocked_ns;
        *sum_ns = lh_place_sum_ns(*sum_ns, row->total_ns);
    }
    return sums;
}

/* Rows that nothing is left of come last: an iteration's place is not certain before it ends. */
static bool is_worse(const struct lh_place_row *a, const struct lh_place_row *b)
{
    return a->count == 0 || b->count == 0 ? b->count == 0 && a->count > 0
                                          : a->total_ns > b->total_ns;
}

static void sort_worst_first(struct lh_place_table *table)
{
    for (uint32_t i = 1; i < table->count; i++) {
        struct lh_place_row *moving = table->rows[i];
        uint32_t to = i;
        for (; to > 0 && is_worse(moving, table->rows[to - 1]); to--)
            table->rows[to] = table->rows[to - 1];
        table->rows[to] = moving;
    }
}

enum { TOTAL, WORST, COUNT, CALL, WHERE, COLUMNS };

struct line {
    char cells[COLUMNS][256];
};

static void fill_line(struct line *line, const struct lh_place_row *row)
{
    struct lh_text text;
    lh_text_init(&text, line->cells[TOTAL], sizeof(line->cells[TOTAL]));
    lh_text_elapsed(&text, row->total_ns, 10);
    lh_text_init(&text, line->cells[WORST], sizeof(line->cells[WORST]));
    lh_text_elapsed(&text, row->worst_ns, 10);
    lh_text_init(&text, line->cells[COUNT], sizeof(line->cells[COUNT]));
    lh_text_u64(&text, row->count);
    (void)lh_text_copy(line->cells[CALL], sizeof(line->cells[CALL]), row->what);
    (void)lh_text_copy(line->cells[WHERE], sizeof(line->cells[WHERE]), row->where);
}

static size_t widest(const struct line *lines, uint32_t count, int column)
{
    size_t width = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t own = lh_text_width(lines[i].cells[column]);
        width = own > width ? own : width;
    }
    return width;
}

/* Of the places that have something behind them; others may be long. */
static size_t widest_with_source(const struct line *lines, struct lh_place_row *const *rows,
                                 uint32_t count)
{
    size_t width = 0;
    for (uint32_t i = 1; i < count; i++) {
        size_t own = rows[i - 1]->source[0] != '\0' ? lh_text_width(lines[i].cells[WHERE]) : 0;
        width = own > width ? own : width;
    }
    return width;
}

static void add_spaces(struct lh_text *text, size_t count)
{
    while (count-- > 0)
        lh_text_char(text, ' ');
}

static void add_line(struct lh_text *text, const struct line *line, const size_t *widths)
{
    for (int column = 0; column < WHERE; column++) {
        size_t padding = widths[column] - lh_text_width(line->cells[column]);
        add_spaces(text, 2 + (column < CALL ? padding : 0));
        lh_text_string(text, line->cells[column]);
        add_spaces(text, column < CALL ? 0 : padding);
    }
    add_spaces(text, 2);
}

static void print_lines(const struct line *lines, struct lh_place_row *const *rows, uint32_t count,
                        struct lh_text *text, const struct lh_text_style *style)
{
    size_t widths[COLUMNS];
    for (int column = 0; column < WHERE; column++)
        widths[column] = widest(lines, count, column);
    widths[WHERE] = widest_with_source(lines, rows, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *source = i > 0 ? rows[i - 1]->source : "";
        const char *where = lines[i].cells[WHERE];
        lh_text_string(text, i == 0 ? style->faint : "");
        add_line(text, &lines[i], widths);
        lh_text_format(text, "%s%s%s", i == 0 ? "" : style->place, where, style->reset);
        if (source[0] != '\0') {
            add_spaces(text, 2 + widths[WHERE] - lh_text_width(where));
            lh_text_string(text, source);
        }
        lh_text_char(text, '\n');
    }
}

void lh_place_table_print(struct lh_place_table *table, struct lh_text *text,
                          const struct lh_text_style *style)
{
    struct line lines[1 + SHOWN] = {{{"TOTAL", "WORST", "COUNT", "CALL", "WHERE"}}};
    uint32_t used = 0;
    sort_worst_first(table);
    while (used < table->count && table->rows[used]->count > 0)
        used++;
    uint32_t shown = used < SHOWN ? used : SHOWN;
    for (uint32_t i = 0; i < shown; i++)
        fill_line(&lines[1 + i], table->rows[i]);
    print_lines(lines, table->rows, 1 + shown, text, style);
    if (used > shown)
        lh_text_format(text, "  %s... %" PRIu32 " more place%s%s\n", style->faint, used - shown,
                       lh_text_plural(used - shown), style->reset);
}
