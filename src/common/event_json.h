/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON Lines, version 1: the one place that knows the format.
 *
 * Used by the collector, and by the watchdog where no collector can be had (raw lines). No malloc,
 * no stdio, no locale, no thread-local storage. */
#ifndef LH_COMMON_EVENT_JSON_H
#define LH_COMMON_EVENT_JSON_H

#include "common/event.h"
#include "common/json.h"
#include "common/ring.h"

/* Each writes one object with its newline. On overflow nothing useful is in the buffer. */
void lh_event_start(struct lh_json *json, const struct lh_ring *ring);

/* `quiet` NULL: no rules were asked. */
void lh_event_summary(struct lh_json *json, const struct lh_ring *ring, int64_t time_ns,
                      const struct lh_quiet *quiet);

/* The summary of a command in which no loop thread was found. */
void lh_event_no_loops(struct lh_json *json, int64_t time_ns, uint32_t pid, const char *why);

void lh_event_report(struct lh_json *json, uint32_t pid, const struct lh_report *report);

#endif
