/* SPDX-License-Identifier: Apache-2.0 */
/* How far the reading of a large file is: one line on a terminal, which is taken away in the end.
 * Main thread. */
#ifndef LH_CLI_REPORT_PROGRESS_H
#define LH_CLI_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct lh_progress {
    const char *name; /* of the file */
    int64_t next_ns;  /* when there is to be something new to say */
    bool wanted;      /* standard error is a terminal */
    bool shown;
};

void lh_progress_begin(struct lh_progress *progress, const char *name);

/* After each line; asks for the time only now and then. `share`: how much of the file has been
 * read, of 1; negative: that is not known. */
bool lh_progress_is_due(const struct lh_progress *progress, uint64_t lines);
void lh_progress_show(struct lh_progress *progress, uint64_t lines, double share);

void lh_progress_end(struct lh_progress *progress);

#endif
