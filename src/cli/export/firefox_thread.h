/* SPDX-License-Identifier: Apache-2.0 */
/* A thread of Firefox's profiler, for firefox.c alone. Main thread. */
#ifndef LH_CLI_EXPORT_FIREFOX_THREAD_H
#define LH_CLI_EXPORT_FIREFOX_THREAD_H

#include "cli/export/model.h"
#include "cli/export/put.h"

/* Categories of frames and markers: their indexes in the profile. */
enum {
    LH_FIREFOX_OTHER,
    LH_FIREFOX_SCRIPT,
    LH_FIREFOX_USER,
    LH_FIREFOX_BLOCKED,
    LH_FIREFOX_STALLED
};

/* Writes the thread that these events are of, which are as of lh_timeline_new(). Returns 0 or
 * -ENOMEM. */
int lh_firefox_put_thread(struct lh_put *put, const struct lh_export_model *model,
                          const uint32_t *events, uint32_t count);

struct lh_firefox_marker {
    uint32_t event;
    uint32_t name;  /* row of the thread's strings ... */
    uint32_t stack; /* ... and of its stacks */
};

/* Writes the table of these. firefox_marker.c */
void lh_firefox_put_markers(struct lh_put *put, const struct lh_export_model *model,
                            const struct lh_firefox_marker *markers, uint32_t count);

#endif
