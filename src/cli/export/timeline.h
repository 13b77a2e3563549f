/* SPDX-License-Identifier: Apache-2.0 */
/* Events as a time line wants them: thread by thread. Main thread. */
#ifndef LH_CLI_EXPORT_TIMELINE_H
#define LH_CLI_EXPORT_TIMELINE_H

#include "cli/export/model.h"

/* The numbers of all events that are not suppressed, by thread, and within one by their begin. To
 * be freed with free(3). NULL: out of memory. */
uint32_t *lh_timeline_new(const struct lh_export_model *model, uint32_t *count);

/* How many of these, from the first one on, are of its thread. */
uint32_t lh_timeline_run(const struct lh_export_model *model, const uint32_t *events,
                         uint32_t count);

/* "MainThread", or its number where it has no name. */
const char *lh_thread_name(const struct lh_export_model *model, uint32_t thread, char room[16]);

/* What a person calls a process: its service, or the name of its program. */
const char *lh_process_name(const struct lh_export_model *model, uint32_t process);

#endif
