/* SPDX-License-Identifier: Apache-2.0 */
/* What GitHub Actions shows of a run: annotations and a step summary. See lh_export_actions(). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/export/model.h"

#define SUMMARY_PLACES 20

static int say(const char *what, int error)
{
    fprintf(stderr, "loophound: cannot write %s: %s\n", what, strerror(error));
    return LH_EXIT_FAILED;
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

int lh_export_actions(const char *const *files, size_t count, const char *summary)
{
    int status = 0;
    struct lh_export_model *model =
        lh_export_model_read(&LH_EXPORT_DEFAULTS, files, count, &status);
    if (model == NULL)
        return say("annotations", ENOMEM);
    int failed = 0;
    if (summary != NULL) {
        model->top = SUMMARY_PLACES;
        failed = append_summary(model, summary);
        model->top = 0;
    }
    leave_out_known(model);
    int shown = write_commands(model);
    lh_export_model_free(model);
    return shown != 0 ? shown : failed != 0 ? failed : status;
}
