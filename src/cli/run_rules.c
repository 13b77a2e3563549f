/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of loophound run: read before the command starts, accounted for when it has ended. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run.h"

#define PROBLEMS_BYTES (8 * LH_RULE_PROBLEM_BYTES)
#define UNUSED_SHOWN   20u

/* A rule may only be judged on what was told, and a report has nothing else. */
static int tell_all(const struct lh_run_flags *flags, struct lh_options *options)
{
    const struct lh_option_info *rate = lh_option_info(LH_OPTION_RATE);
    bool judged = options->suppress[0] != '\0' || options->allow[0] != '\0' ||
                  options->baseline[0] != '\0' || flags->budget != NULL;
    if ((!judged && flags->reports.count == 0) || flags->given[LH_OPTION_RATE] != NULL ||
        getenv(rate->env) != NULL)
        return 0;
    options->rate_window_ns = 0;
    options->rate_reports = 0;
    return setenv(rate->env, "off", 1) == 0 ? 0 : -errno;
}

static int fail_memory(void)
{
    fputs("loophound: out of memory; nothing started\n", stderr);
    return LH_EXIT_FAILED;
}

int lh_run_judge(const struct lh_run_flags *flags, struct lh_options *options,
                 struct lh_judge **judge)
{
    static char lines[PROBLEMS_BYTES];
    struct lh_text problem;
    int error;
    bool fresh = false;
    int status = lh_run_check_baseline(flags, options->baseline, &fresh);
    if (status != 0)
        return status;
    const struct lh_judge_setup setup = {.suppress = options->suppress,
                                         .allow = options->allow,
                                         .baseline = options->baseline,
                                         .cwd = "",
                                         .now = "nothing started",
                                         .fresh_baseline = fresh};
    lh_text_init(&problem, lines, sizeof(lines));
    *judge = lh_judge_new(&setup, &problem, &error);
    if (*judge == NULL || tell_all(flags, options) != 0)
        return fail_memory();
    fputs(lines, stderr);
    return error == 0 ? 0 : error == -ENOMEM ? fail_memory() : LH_EXIT_USAGE;
}

static void print_use(const struct lh_rule *rule, uint64_t uses)
{
    fprintf(stderr, "loophound: %" PRIu64 " %s %s:%" PRIu32 ": %.*s", uses,
            rule->always ? "kept by" : "matched by", rule->file, rule->line, (int)rule->text.length,
            rule->text.text);
    if (rule->reason.length > 0)
        fprintf(stderr, " # %.*s", (int)rule->reason.length, rule->reason.text);
    fputc('\n', stderr);
}

void lh_run_print_rules(const struct lh_verdict *verdict)
{
    const struct lh_rule_set *set = verdict->rules;
    uint32_t unused = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (verdict->rule_uses[i] > 0)
            print_use(&set->rules[i], verdict->rule_uses[i]);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct lh_rule *rule = &set->rules[i];
        if (verdict->rule_uses[i] == 0 && unused++ < UNUSED_SHOWN)
            fprintf(stderr, "loophound: %s:%" PRIu32 ": never matched: %.*s\n", rule->file,
                    rule->line, (int)rule->text.length, rule->text.text);
    }
    if (unused > UNUSED_SHOWN)
        fprintf(stderr, "loophound: ... and %" PRIu32 " more rules that never matched\n",
                unused - UNUSED_SHOWN);
}
