/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound diff says to a page and to a program. See diff.h. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/diff.h"
#include "cli/markdown.h"

static void print_figures(const char *before, const char *after, const char *unit)
{
    bool both = before[0] != '\0' && after[0] != '\0';
    printf(" %s%s%s%s |", before, both ? " → " : "", after, unit);
}

static void print_counts(const struct lh_diff_change *change)
{
    char before[32] = "";
    char after[32] = "";
    if (change->before != NULL)
        (void)snprintf(before, sizeof(before), "%" PRIu64, change->before->count);
    if (change->after != NULL)
        (void)snprintf(after, sizeof(after), "%" PRIu64, change->after->count);
    print_figures(before, after, "");
    before[0] = after[0] = '\0';
    if (change->before != NULL)
        lh_diff_number(before, change->before->worst_ms);
    if (change->after != NULL)
        lh_diff_number(after, change->after->worst_ms);
    print_figures(before, after, " ms");
}

static void print_where(const struct lh_diff_change *change)
{
    const struct lh_offence *row = change->after != NULL ? change->after : change->before;
    putchar(' ');
    lh_markdown_code(stdout, row->what);
    if (row->on[0] != '\0') {
        fputs(" → ", stdout);
        lh_markdown_code(stdout, row->on);
    }
    fputs(" | ", stdout);
    lh_markdown_code(stdout, row->where);
    if (change->after != NULL && row->advice[0] != '\0') {
        fputs("<br>", stdout);
        lh_markdown_text(stdout, row->advice);
    }
    fputs(" |", stdout);
}

static void print_row(const struct lh_diff *diff, const struct lh_diff_change *change)
{
    char by[32];
    lh_diff_number(by, change->by);
    printf("| %s%s%s |", change->kind <= LH_DIFF_WORSE ? "**" : "", lh_diff_kind_name(change->kind),
           change->kind <= LH_DIFF_WORSE ? "**" : "");
    if (diff->measure != LH_DIFF_PLACES)
        printf(" %s%s |", by[0] == '-' ? "" : "+", by);
    print_where(change);
    if (diff->measure != LH_DIFF_PLACES)
        print_counts(change);
    putchar('\n');
}

static void print_head(const struct lh_diff *diff)
{
    if (diff->measure == LH_DIFF_PLACES)
        puts("| | call | where |\n| --- | --- | --- |");
    else
        printf(
            "| | %s | call | where | times | worst |\n| --- | ---: | --- | --- | ---: | ---: |\n",
            lh_diff_unit(diff));
}

void lh_diff_print_markdown(const struct lh_diff *diff)
{
    uint32_t changed = diff->count - diff->of[LH_DIFF_SAME];
    char net[32];
    lh_diff_number(net, diff->net);
    if (changed > 0)
        print_head(diff);
    for (uint32_t i = 0; i < diff->count; i++)
        if (diff->changes[i].kind != LH_DIFF_SAME)
            print_row(diff, &diff->changes[i]);
    printf("%sloophound: ", changed > 0 ? "\n" : "");
    if (diff->measure != LH_DIFF_PLACES)
        printf("net **%s%s %s**, ", net[0] == '-' ? "" : "+", net, lh_diff_unit(diff));
    printf("%" PRIu32 " worse, %" PRIu32 " new, %" PRIu32 " better, %" PRIu32 " gone\n",
           diff->of[LH_DIFF_WORSE], diff->of[LH_DIFF_NEW], diff->of[LH_DIFF_BETTER],
           diff->of[LH_DIFF_GONE]);
}

static json_t *side_of(const struct lh_diff *diff, const struct lh_diff_side *side)
{
    return json_pack("{s:s, s:I, s:o, s:I}", "file", side->name, "programs",
                     (json_int_t)side->programs, "watched_s",
                     diff->measure != LH_DIFF_PLACES && side->endless == 0
                         ? json_real(side->watched_s)
                         : json_null(),
                     "unwritten", (json_int_t)side->unwritten);
}

static json_t *figures_of(const struct lh_offence *row)
{
    if (row == NULL)
        return json_null();
    return json_pack("{s:I, s:f, s:f}", "count", (json_int_t)row->count, "total_ms", row->total_ms,
                     "worst_ms", row->worst_ms);
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *place_of(const struct lh_diff_change *change)
{
    const struct lh_offence *row = change->after != NULL ? change->after : change->before;
    return json_pack("{s:s, s:f, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "change",
                     lh_diff_kind_name(change->kind), "by", change->by, "call",
                     text_or_null(row->what), "on", text_or_null(row->on), "where", row->where,
                     "source", text_or_null(row->source), "advice", text_or_null(row->advice),
                     "before", figures_of(change->before), "after", figures_of(change->after));
}

void lh_diff_print_json(const struct lh_diff *diff)
{
    static const char *const measures[] = {
        [LH_DIFF_TIME] = "ms_per_min", [LH_DIFF_COUNT] = "count", [LH_DIFF_PLACES] = "places"};
    json_t *places = json_array();
    for (uint32_t i = 0; i < diff->count; i++)
        json_array_append_new(places, place_of(&diff->changes[i]));
    json_t *all = json_pack("{s:i, s:s, s:s, s:o, s:o, s:f, s:b, s:o}", "v", 1, "type", "diff",
                            "measure", measures[diff->measure], "before", side_of(diff, diff->a),
                            "after", side_of(diff, diff->b), "net", diff->net, "failed",
                            diff->status != 0, "places", places);
    json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(all);
}
