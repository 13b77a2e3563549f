/* SPDX-License-Identifier: Apache-2.0 */
/* loophound rules: do they parse, and what do they do? */
#include "cli/rules.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/flags.h"
#include "common/text.h"

#define SUPPRESS_MAX 64

struct arguments {
    bool check;
    const char *explain; /* NULL: not asked */
    const char *suppress[SUPPRESS_MAX];
    uint32_t suppress_count;
};

static int fail_usage(const char *what)
{
    fprintf(stderr, "loophound: rules: %s; see loophound help rules\n", what);
    return LH_EXIT_USAGE;
}

static int take_check(void *self, const char *value)
{
    struct arguments *arguments = self;
    (void)value;
    arguments->check = true;
    return 0;
}

static int take_explain(void *self, const char *value)
{
    struct arguments *arguments = self;
    arguments->explain = value;
    return 0;
}

static int take_suppress(void *self, const char *value)
{
    struct arguments *arguments = self;
    if (arguments->suppress_count == SUPPRESS_MAX)
        return fail_usage("at most 64 files");
    arguments->suppress[arguments->suppress_count++] = value;
    return 0;
}

static const struct lh_flag_taker takers[] = {
    {"check", take_check}, {"explain", take_explain}, {"suppress", take_suppress}};

/* Every fault of a file, not the first one only. Adds to the rules and the faults. */
static void check_text(const char *name, const char *text, size_t length, uint32_t *rules,
                       uint32_t *faults)
{
    char buf[LH_RULE_PROBLEM_BYTES];
    struct lh_rule_reader reader;
    struct lh_rule rule;
    struct lh_rule_problem problem;
    struct lh_text line;
    int result;
    lh_rule_reader_init(&reader, text, length, name, false);
    while ((result = lh_rule_read(&reader, &rule, &problem)) != 0) {
        *rules += result > 0;
        *faults += result < 0;
        if (result > 0)
            continue;
        lh_text_init(&line, buf, sizeof(buf));
        lh_rule_problem_text(&line, name, &problem, "it is left out");
        fputs(buf, stderr);
    }
}

static int check_file(const char *name)
{
    char *text = NULL;
    size_t length = 0;
    uint32_t rules = 0;
    uint32_t faults = 0;
    int error = lh_rule_file_read(name, &text, &length);
    if (error != 0) {
        fprintf(stderr, "loophound: cannot read %s: %s\n", name, lh_rule_file_problem(error));
        return LH_EXIT_FAILED;
    }
    check_text(name, text, length, &rules, &faults);
    free(text);
    printf("%s: %" PRIu32 " rule%s, %" PRIu32 " fault%s\n", name, rules, rules == 1 ? "" : "s",
           faults, faults == 1 ? "" : "s");
    return faults > 0 ? LH_EXIT_USAGE : 0;
}

static int check_files(char **names)
{
    int status = 0;
    if (names[0] == NULL)
        return fail_usage("--check needs a file");
    for (; *names != NULL; names++) {
        int failed = check_file(*names);
        status = failed > status ? failed : status;
    }
    return status;
}

static int load(const struct arguments *arguments, struct lh_rule_set *set)
{
    static const char now[] = "nothing read";
    static char buf[LH_RULE_PROBLEM_BYTES];
    struct lh_text problem;
    int error = 0;
    lh_text_init(&problem, buf, sizeof(buf));
    for (uint32_t i = 0; i < arguments->suppress_count && error == 0; i++)
        error = lh_rule_set_add_file(set, arguments->suppress[i], "", now, &problem);
    fputs(buf, stderr);
    return error == 0 ? 0 : error == -EINVAL ? LH_EXIT_USAGE : LH_EXIT_FAILED;
}

int lh_cmd_rules(int argc, char **argv)
{
    struct arguments arguments = {.check = false};
    struct lh_rule_set set = {NULL, 0, NULL};
    int status = lh_flags_take(argc, argv, takers, sizeof(takers) / sizeof(takers[0]), &arguments);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (arguments.check == (arguments.explain != NULL))
        return fail_usage("expected either --check or --explain");
    if (arguments.check)
        return check_files(argv + optind);
    if (argv[optind] != NULL)
        return fail_usage("--explain takes one file of events; rules are given by --suppress");
    status = load(&arguments, &set);
    if (status == 0)
        status = lh_rules_explain(arguments.explain, &set);
    lh_rule_set_free(&set);
    return status;
}
