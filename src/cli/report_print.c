/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a report, in three forms. See report.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/markdown.h"
#include "cli/report.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"

#define ADVICE_COLUMN 36 /* below the call */

static uint32_t shown(const struct lh_table *table, const struct lh_look *look)
{
    uint32_t count = lh_table_rows(table);
    return look->top == 0 || look->top > count ? count : look->top;
}

static bool has_calls(const struct lh_look *look)
{
    return look->by->name == NULL;
}

static int wider(int width, const char *text)
{
    int own = (int)lh_text_width(text);
    return own > width ? own : width;
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

static void print_row(const struct lh_offence *row, const struct lh_look *look, int what, int where)
{
    int padding = row->source[0] != '\0' ? where - (int)lh_text_width(row->where) + 2 : 0;
    print_ms(row->total_ms);
    print_ms(row->worst_ms);
    printf("%8" PRIu64 "  ", row->count);
    if (has_calls(look))
        printf("%-*s  ", what, row->what);
    printf("%s%*s%s\n", row->where, padding, "", row->source);
    if (look->advice && row->advice[0] != '\0')
        printf("%*sadvice: %s\n", ADVICE_COLUMN, "", row->advice);
}

static void print_rows(const struct lh_table *table, const struct lh_look *look)
{
    uint32_t count = shown(table, look);
    int what = 0;
    int where = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct lh_offence row = lh_table_row(table, i);
        what = wider(what, row.what);
        if (row.source[0] != '\0') /* nothing stands behind the others, which may be long */
            where = wider(where, row.where);
    }
    printf("%12s %12s %8s  ", "TOTAL", "WORST", "COUNT");
    if (has_calls(look))
        printf("%-*s  ", what, "CALL");
    printf("%s\n", look->by->heading);
    for (uint32_t i = 0; i < count; i++) {
        struct lh_offence row = lh_table_row(table, i);
        print_row(&row, look, what, where);
    }
}

static void print_more(const struct lh_table *table, const struct lh_look *look)
{
    uint32_t more = lh_table_rows(table) - shown(table, look);
    if (more > 0)
        printf("... and %" PRIu32 " more (--top 0 shows them)\n", more);
}

static void print_sums(const struct lh_table *table)
{
    struct lh_sums sums = lh_table_sums(table);
    printf("%" PRIu64 " process%s, %" PRIu64 " block%s, %" PRIu64 " stall%s, ", sums.processes,
           sums.processes == 1 ? "" : "es", sums.blocks, lh_text_plural(sums.blocks), sums.stalls,
           lh_text_plural(sums.stalls));
    if (sums.suppressed > 0)
        printf("%" PRIu64 " suppressed, ", sums.suppressed);
    printf("%" PRIu64 " dropped\n", sums.dropped);
}

void lh_print_text(const struct lh_table *table, const struct lh_look *look)
{
    if (shown(table, look) > 0)
        print_rows(table, look);
    print_more(table, look);
    print_sums(table);
}

static void print_cells(const struct lh_offence *row, const struct lh_look *look)
{
    printf("| %.1f ms | %.1f ms | %" PRIu64 " | ", row->total_ms, row->worst_ms, row->count);
    if (has_calls(look)) {
        lh_markdown_code(stdout, row->what);
        fputs(" | ", stdout);
    }
    lh_markdown_code(stdout, row->where);
    if (has_calls(look)) {
        fputs(" | ", stdout);
        lh_markdown_code(stdout, row->source);
    }
    if (look->advice && row->advice[0] != '\0') {
        fputs(row->source[0] != '\0' ? "<br>" : "", stdout);
        lh_markdown_text(stdout, row->advice);
    }
    fputs(" |\n", stdout);
}

void lh_print_markdown(const struct lh_table *table, const struct lh_look *look)
{
    if (shown(table, look) > 0)
        printf("| TOTAL | WORST | COUNT |%s %s |%s\n| ---: | ---: | ---: | --- |%s\n",
               has_calls(look) ? " CALL |" : "", look->by->heading,
               has_calls(look) ? " LINE |" : "", has_calls(look) ? " --- | --- |" : "");
    for (uint32_t i = 0; i < shown(table, look); i++) {
        struct lh_offence row = lh_table_row(table, i);
        print_cells(&row, look);
    }
    putchar('\n');
    print_more(table, look);
    print_sums(table);
}

/* What stands in a row has no tabs in it: lh_text_clean(). */
void lh_print_lines(const struct lh_table *table, const struct lh_look *look)
{
    for (uint32_t i = 0; i < shown(table, look); i++) {
        struct lh_offence row = lh_table_row(table, i);
        printf("%.1f\t%.1f\t%" PRIu64 "\t%s\t%s\t%s", row.total_ms, row.worst_ms, row.count,
               row.what, row.where, row.source);
        if (look->advice)
            printf("\t%s", row.advice);
        putchar('\n');
    }
}
