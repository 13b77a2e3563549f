/* SPDX-License-Identifier: Apache-2.0 */
/* loophound run --report: files of other formats at the end of a run. See run_report.h. */
#include "cli/run_report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

#define NAME_BYTES 32

static const struct lh_export_format *find_format(const char *value, size_t length)
{
    char name[NAME_BYTES];
    if (length >= sizeof(name))
        return NULL;
    (void)snprintf(name, sizeof(name), "%.*s", (int)length, value);
    return lh_export_format_find(name);
}

/* "FORMAT:FILE, with FORMAT one of html, junit ..." */
static const char *expected_report(void)
{
    static char text[512];
    struct lh_text line;
    lh_text_init(&line, text, sizeof(text));
    lh_text_string(&line, "FORMAT:FILE, at most 16 of them, FORMAT one of");
    for (const struct lh_export_format *row = lh_export_formats; row->name != NULL; row++) {
        lh_text_string(&line, row == lh_export_formats ? " " : ", ");
        lh_text_string(&line, row->name);
    }
    return text;
}

int lh_run_report_parse(struct lh_run_reports *reports, const char *value, const char **expected)
{
    const char *colon = strchr(value, ':');
    const struct lh_export_format *format =
        colon != NULL ? find_format(value, (size_t)(colon - value)) : NULL;
    *expected = expected_report();
    if (format == NULL || colon[1] == '\0' || reports->count == LH_RUN_REPORTS_MAX)
        return -EINVAL;
    reports->one[reports->count++] = (struct lh_export_job){format, colon + 1};
    return 0;
}

/* It is made beside the old one, if there is any, and takes its place. */
static int check_path(const char *path)
{
    char directory[PATH_MAX];
    struct stat status;
    size_t length = (size_t)(lh_base_name(path) - path);
    if (path[length] == '\0' || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return -EISDIR;
    if (length >= sizeof(directory))
        return -ENAMETOOLONG;
    (void)snprintf(directory, sizeof(directory), "%.*s", (int)length, path);
    return access(length == 0 ? "." : directory, W_OK | X_OK) == 0 ? 0 : -errno;
}

static int refuse(const char *path, const char *why)
{
    fprintf(stderr, "loophound: --report cannot write to %s: %s; nothing started\n", path, why);
    return -EINVAL;
}

/* Two names may still be one file; then the last report stays. */
static bool is_taken(const struct lh_run_reports *reports, uint32_t index,
                     const struct lh_options *options)
{
    struct stat ours;
    struct stat output;
    const char *path = reports->one[index].output;
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(reports->one[i].output, path) == 0)
            return true;
    return options->output_kind == LH_OUTPUT_PATH && stat(path, &ours) == 0 &&
           stat(options->output, &output) == 0 && ours.st_ino == output.st_ino &&
           ours.st_dev == output.st_dev;
}

int lh_run_reports_check(const struct lh_run_reports *reports, const struct lh_options *options)
{
    for (uint32_t i = 0; i < reports->count; i++) {
        int error = check_path(reports->one[i].output);
        if (error != 0)
            return refuse(reports->one[i].output, strerror(-error));
        if (is_taken(reports, i, options))
            return refuse(reports->one[i].output, "something else of this run goes there");
    }
    return 0;
}

bool lh_run_wants_github(enum lh_run_github github)
{
    const char *actions = getenv("GITHUB_ACTIONS");
    if (github != LH_GITHUB_AUTO)
        return github == LH_GITHUB_ON;
    return actions != NULL && strcmp(actions, "true") == 0;
}

uint32_t lh_run_reports_write(const struct lh_run_reports *reports, const struct lh_run_kept *kept,
                              bool github, bool *shown)
{
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    bool named = summary != NULL && summary[0] != '\0';
    struct lh_export_actions actions = {.summary = named ? summary : NULL};
    uint32_t failed = 0;
    if (reports->count > 0 || github)
        failed =
            lh_export_several(reports->one, reports->count, github ? &actions : NULL, kept->name);
    *shown = !actions.failed;
    return failed;
}
