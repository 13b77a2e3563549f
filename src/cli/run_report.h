/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound run leaves beside its reports: files of other formats, and what GitHub shows.
 *
 * They are made from JSON Lines at the end of the run: those of -o, or else a file of our own that
 * has no name and is gone with this process. Main thread. */
#ifndef LH_CLI_RUN_REPORT_H
#define LH_CLI_RUN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/export.h"
#include "common/options.h"

#define LH_RUN_REPORTS_MAX 16u

/* Of --report, in the order in which they were given. */
struct lh_run_reports {
    struct lh_export_job one[LH_RUN_REPORTS_MAX];
    uint32_t count;
};

enum lh_run_github { LH_GITHUB_AUTO, LH_GITHUB_ON, LH_GITHUB_OFF };

/* Adds "junit:report.xml". 0, or -EINVAL and what was expected. */
int lh_run_report_parse(struct lh_run_reports *reports, const char *value, const char **expected);

/* Can they be written, as far as is known before the command runs? 0, or a negative errno once it
 * has said in one line what is wrong. */
int lh_run_reports_check(const struct lh_run_reports *reports, const struct lh_options *options);

/* Is what GitHub shows wanted? Where it was not said: as GITHUB_ACTIONS says. */
bool lh_run_wants_github(enum lh_run_github github);

/* Where the JSON Lines of the run are. */
struct lh_run_kept {
    int fd;          /* of the file of our own; -1: there is none */
    char name[4096]; /* to open it by, or that of -o; "": none is wanted */
};

/* 0, or a negative errno: such a file cannot be had in TMPDIR, /tmp, /var/tmp or /dev/shm. */
int lh_run_keep(struct lh_run_kept *kept, const struct lh_options *options);
void lh_run_keep_end(const struct lh_run_kept *kept);

/* The collector has written all: makes the reports, and where `github` shows what that is to show.
 * Commands go to standard error, which GitHub reads as well as standard output, the table to the
 * end of the file that GITHUB_STEP_SUMMARY names. What fails is said. Returns how many reports
 * could not be made; *shown: false where GitHub's part has failed. */
uint32_t lh_run_reports_write(const struct lh_run_reports *reports, const struct lh_run_kept *kept,
                              bool github, bool *shown);

#endif
