/* SPDX-License-Identifier: Apache-2.0 */
/* The exit status of loophound run. */
#include "cli/cli.h"
#include "cli/run.h"

/* A place that --update-baseline has written down is not new any more. */
static bool is_over(const struct lh_run_outcome *outcome, const struct lh_run_flags *flags)
{
    bool counts = (flags->fail || outcome->has_baseline) && !flags->update_baseline;
    return (counts && outcome->reported > 0) || outcome->over_budget > 0 ||
           (flags->strict_baseline && !flags->update_baseline && outcome->gone > 0);
}

/* The command's own failure says more than anything of ours. */
int lh_run_status(const struct lh_run_outcome *outcome, const struct lh_run_flags *flags)
{
    if (outcome->command != 0)
        return outcome->command;
    if (outcome->failed)
        return LH_EXIT_FAILED;
    if (is_over(outcome, flags))
        return LH_EXIT_REPORTED;
    if ((flags->require_loop && outcome->loops == 0) || (outcome->strict && outcome->dropped > 0))
        return LH_EXIT_UNSURE;
    return 0;
}
