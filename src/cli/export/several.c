/* SPDX-License-Identifier: Apache-2.0 */
/* What a run leaves: files of several formats, and what GitHub Actions shows, annotations and a
 * step summary. See lh_export_several(). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/export/model.h"

#define SUMMARY_PLACES 20

static int say(const char *what, int error)
{
    fprintf(stderr, "loophound: cannot write %s: %s\n", what, strerror(error));
    return -error;
}

/* To standard error, which GitHub reads, too: standard output is the command's. */
static int write_commands(const struct lh_export_model *model)
{
    int error = lh_export_format_find("github")->write(model, stderr);
    return error == 0 ? 0 : say("annotations", -error);
}

/* Other commands of the step write there, too. */
static int append_summary(const struct lh_export_model *model, const char *summary)
{
    int fd = open(summary, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (file == NULL)
        return say("GITHUB_STEP_SUMMARY", errno);
    int error = lh_export_format_find("markdown")->write(model, file);
    if (fclose(file) != 0 && error == 0)
        error = -errno;
    return error == 0 ? 0 : say("GITHUB_STEP_SUMMARY", -error);
}

/* The summary has them; at their lines they would be said anew with every change. */
static void leave_out_known(struct lh_export_model *model)
{
    for (uint32_t i = 0; i < model->place_count; i++)
        model->places[i].suppressed |= model->places[i].known;
}

static bool show(struct lh_export_model *model, const char *summary)
{
    int failed = 0;
    if (summary != NULL) {
        model->top = SUMMARY_PLACES;
        failed = append_summary(model, summary);
        model->top = 0;
    }
    leave_out_known(model);
    return write_commands(model) == 0 && failed == 0;
}

uint32_t lh_export_several(const struct lh_export_job *jobs, uint32_t count,
                           struct lh_export_actions *actions, const char *file)
{
    int status = 0;
    uint32_t failed = 0;
    struct lh_export_model *model = lh_export_model_read(&LH_EXPORT_DEFAULTS, &file, 1, &status);
    if (model == NULL)
        fputs("loophound: out of memory; no reports are written\n", stderr);
    for (uint32_t i = 0; i < count; i++)
        failed += model == NULL || lh_export_write(jobs[i].format, model, jobs[i].output) != 0;
    if (actions != NULL)
        actions->failed = model == NULL || !show(model, actions->summary) || status != 0;
    lh_export_model_free(model);
    return status != 0 ? count : failed;
}
