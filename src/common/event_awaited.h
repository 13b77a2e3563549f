/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop thread waits for in Python's terms, as a member of an event. See event_json.h for
 * where it may run. */
#ifndef LH_COMMON_EVENT_AWAITED_H
#define LH_COMMON_EVENT_AWAITED_H

#include "common/event.h"
#include "common/json.h"

/* "waits_for"; null where it is not known. */
void lh_event_waits_for(struct lh_json *json, const struct lh_report *report);

/* "RLock", as threading calls it. */
const char *lh_awaited_name(enum lh_awaited_kind kind);

#endif
