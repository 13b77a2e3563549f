/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound diff says to a person. See diff.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/diff.h"
#include "cli/terminal.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"

#define LINE_BYTES   1024
#define CHANGE_BYTES 48
#define KIND_COLUMNS 8 /* with the blanks behind it */

/* Of all lines; that of the changes is 0 where there are none. */
struct columns {
    int change;
    int what;
    size_t terminal; /* 0: none */
};

void lh_diff_number(char text[32], double number)
{
    bool short_one = fabs(number) >= 9.95 || fabs(number) < 0.05;
    (void)snprintf(text, 32, short_one ? "%.0f" : "%.1f", fabs(number) < 0.05 ? 0 : number);
}

static void put_change(char text[CHANGE_BYTES], const struct lh_diff *diff, double by)
{
    char number[32];
    text[0] = '\0';
    if (diff->measure == LH_DIFF_PLACES)
        return;
    if (diff->measure == LH_DIFF_COUNT)
        (void)snprintf(number, sizeof(number), "%.0f", by);
    else
        lh_diff_number(number, by);
    (void)snprintf(text, CHANGE_BYTES, "%s%s %s", number[0] == '-' ? "" : "+", number,
                   lh_diff_unit(diff));
}

/* "poll → 10.0.0.7:443" */
static void put_what(struct lh_text *text, const struct lh_offence *row)
{
    lh_text_string(text, row->what);
    if (row->on[0] == '\0')
        return;
    lh_text_string(text, " → ");
    lh_text_string(text, row->on);
}

/* Of both the one that is there now. */
static const struct lh_offence *row_of(const struct lh_diff_change *change)
{
    return change->after != NULL ? change->after : change->before;
}

static int wider(int width, const char *text)
{
    int own = (int)lh_text_width(text);
    return own > width ? own : width;
}

static struct columns columns_of(const struct lh_diff *diff)
{
    struct columns columns = {.terminal = lh_terminal_columns(stdout)};
    for (uint32_t i = 0; i < diff->count; i++) {
        char change[CHANGE_BYTES];
        char what_buf[LINE_BYTES];
        struct lh_text what;
        if (diff->changes[i].kind == LH_DIFF_SAME)
            continue;
        lh_text_init(&what, what_buf, sizeof(what_buf));
        put_what(&what, row_of(&diff->changes[i]));
        put_change(change, diff, diff->changes[i].by);
        columns.change = wider(columns.change, change);
        columns.what = wider(columns.what, what_buf);
    }
    return columns;
}

static void put_padded(struct lh_text *text, const char *string, int width)
{
    lh_text_string(text, string);
    lh_text_format(text, "%*s", width - (int)lh_text_width(string), "");
}

static void print_line(struct lh_text *line, const struct columns *columns)
{
    lh_text_cut(line, 0, columns->terminal);
    printf("%s\n", line->buf);
}

static void print_place(const struct lh_diff *diff, const struct lh_diff_change *change,
                        const struct columns *columns)
{
    char buf[LINE_BYTES];
    char by[CHANGE_BYTES];
    char what_buf[LINE_BYTES];
    struct lh_text line;
    struct lh_text what;
    const struct lh_offence *row = row_of(change);
    lh_text_init(&line, buf, sizeof(buf));
    lh_text_init(&what, what_buf, sizeof(what_buf));
    put_change(by, diff, change->by);
    put_what(&what, row);
    put_padded(&line, lh_diff_kind_name(change->kind), KIND_COLUMNS);
    if (columns->change > 0)
        lh_text_format(&line, "%*s  ", columns->change, by);
    if (columns->what > 0) {
        put_padded(&line, what_buf, columns->what);
        lh_text_string(&line, "  ");
    }
    lh_text_string(&line, row->where);
    print_line(&line, columns);
}

static void begin_detail(struct lh_text *line, const struct columns *columns)
{
    lh_text_format(line, "%*s", KIND_COLUMNS + columns->change + (columns->change > 0 ? 2 : 0), "");
}

/* "12 → 31 times, worst 90 → 312 ms" */
static void print_numbers(const struct lh_diff_change *change, const struct columns *columns)
{
    char buf[LINE_BYTES];
    char was[32] = "";
    char is[32];
    struct lh_text line;
    const struct lh_offence *row = row_of(change);
    bool both = change->before != NULL && change->after != NULL;
    lh_text_init(&line, buf, sizeof(buf));
    begin_detail(&line, columns);
    if (both)
        lh_text_format(&line, "%" PRIu64 " → ", change->before->count);
    lh_text_format(&line, "%" PRIu64 " time%s, worst ", row->count,
                   both ? "s" : lh_text_plural(row->count));
    if (both)
        lh_diff_number(was, change->before->worst_ms);
    lh_diff_number(is, row->worst_ms);
    lh_text_format(&line, "%s%s%s ms", was, both ? " → " : "", is);
    print_line(&line, columns);
}

static void print_advice(const struct lh_diff_change *change, const struct columns *columns)
{
    char buf[LINE_BYTES];
    struct lh_text line;
    if (change->after == NULL || change->after->advice[0] == '\0' || change->kind == LH_DIFF_BETTER)
        return;
    lh_text_init(&line, buf, sizeof(buf));
    begin_detail(&line, columns);
    lh_text_format(&line, "advice: %s", change->after->advice);
    print_line(&line, columns);
}

static void print_net(const struct lh_diff *diff)
{
    static const enum lh_diff_kind order[] = {LH_DIFF_WORSE, LH_DIFF_NEW, LH_DIFF_BETTER,
                                              LH_DIFF_GONE};
    char net[CHANGE_BYTES];
    const char *between = "";
    put_change(net, diff, diff->net);
    if (net[0] != '\0')
        printf("net %s: ", net);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (diff->of[order[i]] == 0)
            continue;
        printf("%s%" PRIu32 " %s", between, diff->of[order[i]], lh_diff_kind_name(order[i]));
        between = ", ";
    }
    printf("%s%" PRIu32 " %s", between, diff->of[LH_DIFF_SAME],
           diff->measure == LH_DIFF_PLACES ? "in both" : "as before");
    if (diff->fail && diff->status != 0)
        printf("; exit %d", diff->status);
    putchar('\n');
}

void lh_diff_print_text(const struct lh_diff *diff)
{
    struct columns columns = columns_of(diff);
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct lh_diff_change *change = &diff->changes[i];
        if (change->kind == LH_DIFF_SAME)
            continue;
        print_place(diff, change, &columns);
        if (diff->measure == LH_DIFF_PLACES)
            continue;
        print_numbers(change, &columns);
        print_advice(change, &columns);
    }
    print_net(diff);
}
