/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound run leaves beside its reports: files of other formats, and what GitHub shows.
 *
 * They are made from JSON Lines at the end of the run: those of -o, or else a file of our own that
 * has no name and is gone with this process. Main thread. */
#ifndef LH_CLI_RUN_REPORT_H
#define LH_CLI_RUN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/options.h"

struct lh_export_format;

#define LH_RUN_REPORTS_MAX 16u

/* Of --report, in the order in which they were given. */
struct lh_run_reports {
    struct lh_run_report {
        const struct lh_export_format *format;
        const char *file;
    } one[LH_RUN_REPORTS_MAX];
    uint32_t count;
};

enum lh_run_github { LH_GITHUB_AUTO, LH_GITHUB_ON, LH_GITHUB_OFF };

/* Adds "junit:report.xml". 0, or -EINVAL and what was expected. */
int lh_run_report_parse(struct lh_run_reports *reports, const char *value, const char **expected);

/* Can they be written, as far as is known before the command runs? 0, or a negative errno once it
 * has said in one line what is wrong. */
int lh_run_reports_check(const struct lh_run_reports *reports, const struct lh_options *options);

/* Is what GitHub shows wanted? Where it was not asked for: as GITHUB_ACTIONS says. */
bool lh_run_wants_github(enum lh_run_github github);

/* Where the JSON Lines of the run are. */
struct lh_run_kept {
    int fd;          /* of the file of our own; -1: there is none */
    char name[4096]; /* to open it by, or that of -o; "": none is wanted */
};

/* 0, or a negative errno: such a file cannot be had in TMPDIR, /tmp, /var/tmp or /dev/shm. */
int lh_run_keep(struct lh_run_kept *kept, const struct lh_options *options);
void lh_run_keep_end(const struct lh_run_kept *kept);

/* The collector has written all. Returns how many could not be made, each of which it has said. */
uint32_t lh_run_reports_write(const struct lh_run_reports *reports, const struct lh_run_kept *kept);

/* Commands on standard error, which GitHub reads as well as standard output, and the table at the
 * end of the file that GITHUB_STEP_SUMMARY names. False: something failed, which it has said. */
bool lh_run_github_write(const struct lh_run_kept *kept);

#endif
