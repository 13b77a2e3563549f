/* SPDX-License-Identifier: Apache-2.0 */
/* What the reports of a trial come to. */
#ifndef LH_CLI_DOCTOR_TRIAL_EVENTS_H
#define LH_CLI_DOCTOR_TRIAL_EVENTS_H

#include <stdint.h>

struct lh_trial_seen {
    uint32_t loops;
    uint32_t blocks;
    uint32_t stalls;
    uint32_t python_lines; /* frames with a file and a line */
    char thread[64];       /* the first loop thread, and how it was found */
    char how[64];
    char file[256]; /* the innermost Python line of the first report that has one */
    char function[128];
    int line;
};

/* From a file of JSON Lines; what is missing was not seen. */
void lh_trial_read(const char *path, struct lh_trial_seen *seen);

#endif
