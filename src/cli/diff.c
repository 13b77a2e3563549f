/* SPDX-License-Identifier: Apache-2.0 */
/* loophound diff: what became of each place from one run to another. Main thread. */
#include "cli/diff.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/flags.h"
#include "common/number.h"

#define MARGIN_MAX 100000 /* percent */
#define LEAST_MAX  1000000000u

struct arguments {
    struct lh_diff_rule rule;
    lh_diff_print *print;
    bool fail;
};

static int fail_usage(const char *flag, const char *value, const char *expected)
{
    return lh_flag_refuse("diff", flag, value, expected, "nothing compared");
}

static int take_fail(void *self, const char *value)
{
    struct arguments *arguments = self;
    (void)value;
    arguments->fail = true;
    return 0;
}

static int take_margin(void *self, const char *value)
{
    struct arguments *arguments = self;
    uint64_t percent;
    const char *end = lh_number_read(value, MARGIN_MAX, &percent);
    if (end == NULL || strcmp(end, "%") != 0)
        return fail_usage("margin", value, "a number of percent, such as 50%");
    arguments->rule.margin = (double)percent / 100;
    return 0;
}

static int take_least(void *self, const char *value)
{
    struct arguments *arguments = self;
    const char *end = lh_number_read(value, LEAST_MAX, &arguments->rule.least);
    return end != NULL && *end == '\0' ? 0 : fail_usage("least", value, "a number");
}

static int take_format(void *self, const char *value)
{
    static const struct {
        const char *name;
        lh_diff_print *print;
    } formats[] = {{"text", lh_diff_print_text},
                   {"markdown", lh_diff_print_markdown},
                   {"json", lh_diff_print_json}};
    struct arguments *arguments = self;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        arguments->print = formats[i].print;
        if (strcmp(value, formats[i].name) == 0)
            return 0;
    }
    return fail_usage("format", value, "text, markdown or json");
}

static const struct lh_flag_taker takers[] = {
    {"fail", take_fail}, {"margin", take_margin}, {"least", take_least}, {"format", take_format}};

static int refuse(const char *what)
{
    fprintf(stderr, "loophound: diff: %s; nothing compared\n", what);
    return LH_EXIT_USAGE;
}

static void say_unwritten(const struct lh_diff_side *side)
{
    if (side->unwritten > 0)
        fprintf(stderr,
                "loophound: %s: %" PRIu64 " reports were counted and not written (LOOPHOUND_RATE, "
                "or dropped); they are not compared\n",
                side->name, side->unwritten);
}

/* What a reader of the figures has to know. */
static void say_measure(const struct lh_diff *diff)
{
    const struct lh_diff_side *sides[] = {diff->a, diff->b};
    for (int i = 0; i < 2; i++)
        say_unwritten(sides[i]);
    if (diff->measure != LH_DIFF_COUNT)
        return;
    if (diff->a->strict || diff->b->strict) {
        fputs("loophound: of strict mode counts are compared, and not times\n", stderr);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (sides[i]->endless > 0 || sides[i]->watched_s <= 0)
            fprintf(stderr,
                    "loophound: %s: how long its programs were watched is not known; counts are "
                    "compared\n",
                    sides[i]->name);
}

/* What watched nothing has nothing that is new, and is none the better for it. */
static int status_of(const struct lh_diff *diff)
{
    if (diff->of[LH_DIFF_NEW] > 0 || diff->of[LH_DIFF_WORSE] > 0)
        return LH_EXIT_REPORTED;
    if (diff->measure != LH_DIFF_PLACES && diff->b->programs == 0 && diff->b->rows.count == 0) {
        fprintf(stderr, "loophound: %s: nothing was watched there\n", diff->b->name);
        return LH_EXIT_UNSURE;
    }
    return 0;
}

static int compare(const struct arguments *arguments, const struct lh_diff_side *a,
                   const struct lh_diff_side *b)
{
    struct lh_diff diff = {.a = a, .b = b, .fail = arguments->fail};
    if (a->baseline != b->baseline)
        return refuse("one of them is a baseline and the other is not: two of a kind can be "
                      "compared");
    if (lh_diff_compare(&diff, &arguments->rule) != 0)
        return LH_EXIT_FAILED;
    say_measure(&diff);
    diff.status = status_of(&diff);
    arguments->print(&diff);
    free(diff.changes);
    return arguments->fail ? diff.status : 0;
}

int lh_cmd_diff(int argc, char **argv)
{
    struct arguments arguments = {.rule = {.margin = 0.5, .least = 3}, .print = lh_diff_print_text};
    int status = lh_flags_take(argc, argv, takers, sizeof(takers) / sizeof(takers[0]), &arguments);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (argc - optind != 2)
        return refuse("expected two files, A and B");
    struct lh_diff_side a = {.name = argv[optind]};
    struct lh_diff_side b = {.name = argv[optind + 1]};
    status = lh_diff_side_read(&a);
    if (status == 0)
        status = lh_diff_side_read(&b);
    if (status == 0)
        status = compare(&arguments, &a, &b);
    lh_diff_side_free(&a);
    lh_diff_side_free(&b);
    return status;
}
