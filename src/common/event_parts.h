/* What several events have, as members of theirs. See event_json.h for where they may run. */
#ifndef LH_COMMON_EVENT_PARTS_H
#define LH_COMMON_EVENT_PARTS_H

#include "common/event_json.h"

/* "resource". In the collector it is hostile: its text is read up to the end of its array. */
void lh_event_resource(struct lh_json *json, const struct lh_resource *resource);

/* "fd"; negative: null. */
void lh_event_fd(struct lh_json *json, int32_t fd);

/* "stack". */
void lh_event_stack(struct lh_json *json, const struct lh_frame *frames, uint32_t frame_count);

#endif
