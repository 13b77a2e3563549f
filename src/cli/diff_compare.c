/* SPDX-License-Identifier: Apache-2.0 */
/* What became of each place. See diff.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/diff.h"

const char *lh_diff_kind_name(enum lh_diff_kind kind)
{
    static const char *const names[LH_DIFF_KINDS] = {[LH_DIFF_NEW] = "new",
                                                     [LH_DIFF_WORSE] = "worse",
                                                     [LH_DIFF_SAME] = "same",
                                                     [LH_DIFF_BETTER] = "better",
                                                     [LH_DIFF_GONE] = "gone"};
    return names[kind];
}

const char *lh_diff_unit(const struct lh_diff *diff)
{
    static const char *const units[] = {
        [LH_DIFF_TIME] = "ms/min", [LH_DIFF_COUNT] = "times", [LH_DIFF_PLACES] = ""};
    return units[diff->measure];
}

static double measured(const struct lh_diff *diff, const struct lh_diff_side *side,
                       const struct lh_offence *row)
{
    if (row == NULL || diff->measure == LH_DIFF_PLACES)
        return 0;
    if (diff->measure == LH_DIFF_COUNT)
        return (double)row->count;
    return row->total_ms / (side->watched_s / 60);
}

/* What happens a few times happens now more, now less often. */
static enum lh_diff_kind kind_of(const struct lh_diff *diff, const struct lh_diff_rule *rule,
                                 const struct lh_offence *before, const struct lh_offence *after)
{
    if (before == NULL)
        return LH_DIFF_NEW;
    if (after == NULL)
        return LH_DIFF_GONE;
    double was = measured(diff, diff->a, before);
    double is = measured(diff, diff->b, after);
    if (is > was * (1 + rule->margin) && after->count >= rule->least)
        return LH_DIFF_WORSE;
    if (was > is * (1 + rule->margin) && before->count >= rule->least)
        return LH_DIFF_BETTER;
    return LH_DIFF_SAME;
}

static void add(struct lh_diff *diff, const struct lh_diff_rule *rule,
                const struct lh_offence *before, const struct lh_offence *after)
{
    struct lh_diff_change *change = &diff->changes[diff->count++];
    *change = (struct lh_diff_change){.kind = kind_of(diff, rule, before, after),
                                      .by = measured(diff, diff->b, after) -
                                            measured(diff, diff->a, before),
                                      .before = before,
                                      .after = after};
    diff->of[change->kind]++;
    diff->net += change->by;
}

static const char *where_of(const struct lh_diff_change *change)
{
    return change->after != NULL ? change->after->where : change->before->where;
}

static int by_change(const void *left, const void *right)
{
    const struct lh_diff_change *a = left;
    const struct lh_diff_change *b = right;
    if (a->by != b->by)
        return (a->by < b->by) - (a->by > b->by);
    return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind)
                              : strcmp(where_of(a), where_of(b));
}

static enum lh_diff_measure measure_of(const struct lh_diff *diff)
{
    const struct lh_diff_side *sides[] = {diff->a, diff->b};
    if (diff->a->baseline)
        return LH_DIFF_PLACES;
    for (int i = 0; i < 2; i++)
        if (sides[i]->strict || sides[i]->endless > 0 ||
            (sides[i]->watched_s <= 0 && sides[i]->rows.count > 0))
            return LH_DIFF_COUNT;
    return LH_DIFF_TIME;
}

int lh_diff_compare(struct lh_diff *diff, const struct lh_diff_rule *rule)
{
    const struct lh_diff_rows *a = &diff->a->rows;
    const struct lh_diff_rows *b = &diff->b->rows;
    uint32_t i = 0;
    uint32_t j = 0;
    diff->measure = measure_of(diff);
    diff->changes = calloc((size_t)a->count + b->count + 1, sizeof(*diff->changes));
    if (diff->changes == NULL)
        return -ENOMEM;
    while (i < a->count || j < b->count) {
        bool in_a = i < a->count && (j == b->count || a->row[i].key <= b->row[j].key);
        bool in_b = j < b->count && (i == a->count || b->row[j].key <= a->row[i].key);
        add(diff, rule, in_a ? &a->row[i] : NULL, in_b ? &b->row[j] : NULL);
        i += in_a;
        j += in_b;
    }
    if (diff->count > 0)
        qsort(diff->changes, diff->count, sizeof(*diff->changes), by_change);
    return 0;
}
