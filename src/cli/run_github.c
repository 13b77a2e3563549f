/* SPDX-License-Identifier: Apache-2.0 */
/* What GitHub shows of a run. See run_report.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/export.h"
#include "cli/run_report.h"

bool lh_run_wants_github(enum lh_run_github github)
{
    const char *actions = getenv("GITHUB_ACTIONS");
    if (github != LH_GITHUB_AUTO)
        return github == LH_GITHUB_ON;
    return actions != NULL && strcmp(actions, "true") == 0;
}

bool lh_run_github_write(const struct lh_run_kept *kept)
{
    const char *const files[] = {kept->name};
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    bool named = summary != NULL && summary[0] != '\0';
    return lh_export_actions(files, 1, named ? summary : NULL) == 0;
}
