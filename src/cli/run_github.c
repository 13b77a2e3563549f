/* SPDX-License-Identifier: Apache-2.0 */
/* What GitHub shows of a run. See run_report.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/export.h"
#include "cli/export/model.h"
#include "cli/run_report.h"

#define SUMMARY_PLACES 20

bool lh_run_wants_github(enum lh_run_github github)
{
    const char *actions = getenv("GITHUB_ACTIONS");
    if (github != LH_GITHUB_AUTO)
        return github == LH_GITHUB_ON;
    return actions != NULL && strcmp(actions, "true") == 0;
}

static bool say(const char *what, int error)
{
    fprintf(stderr, "loophound: cannot write %s: %s\n", what, strerror(error));
    return false;
}

static bool write_commands(const struct lh_export_model *model)
{
    const struct lh_export_format *format = lh_export_format_find("github");
    int error = format->write(model, stderr);
    return error == 0 || say("annotations", -error);
}

/* GitHub's file, to which other commands of the step write, too. */
static bool append_summary(struct lh_export_model *model)
{
    const struct lh_export_format *format = lh_export_format_find("markdown");
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    if (path == NULL || path[0] == '\0')
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (file == NULL)
        return say("GITHUB_STEP_SUMMARY", errno);
    model->top = SUMMARY_PLACES;
    int error = format->write(model, file);
    if (fclose(file) != 0 && error == 0)
        error = -errno;
    return error == 0 || say("GITHUB_STEP_SUMMARY", -error);
}

bool lh_run_github_write(const struct lh_run_kept *kept)
{
    const char *const files[] = {kept->name};
    int status;
    struct lh_export_model *model = lh_export_model_read(&LH_EXPORT_DEFAULTS, files, 1, &status);
    if (model == NULL)
        return say("annotations", ENOMEM);
    bool commands = write_commands(model);
    bool summary = append_summary(model);
    lh_export_model_free(model);
    return status == 0 && commands && summary;
}
