/* SPDX-License-Identifier: Apache-2.0 */
/* What several events have, as members of theirs. See event_json.h for where they may run. */
#ifndef LH_COMMON_EVENT_PARTS_H
#define LH_COMMON_EVENT_PARTS_H

#include "common/event.h"
#include "common/json.h"
#include "common/rules.h"

/* Begins an event with the members that each has but `thread`. It ends with its line. */
void lh_event_open(struct lh_json *json, const char *type, int64_t time_ns, uint32_t pid,
                   uint32_t tid);
void lh_event_close(struct lh_json *json);

/* Calls of one name. */
struct lh_call_sum {
    const char *name;
    uint64_t count;
    uint64_t total_ns;
};

/* [{call, count, total_ms}], which it sorts, the largest first. */
void lh_event_sums(struct lh_json *json, const char *key, struct lh_call_sum *sums, uint32_t count);

/* "python". */
const char *lh_lang_name(enum lh_lang lang);

/* Why there is no stack of a stall, as part of a sentence; NULL: there is one. */
const char *lh_no_stack_reason(uint32_t no_stack);

/* "resource". In the collector it is hostile: its text is read up to the end of its array. */
void lh_event_resource(struct lh_json *json, const struct lh_resource *resource);

/* "fd"; negative: null. */
void lh_event_fd(struct lh_json *json, int32_t fd);

/* The members of a frame, but `cut`, which is of its stack. `nulls`: also those that are null. */
void lh_event_frame(struct lh_json *json, const struct lh_frame *frame, bool nulls);

/* "stack"; "stack_id" where there are frames, and a book (NULL: none) that they stand in. */
void lh_event_stack(struct lh_json *json, struct lh_stack_book *book, const struct lh_frame *frames,
                    uint32_t frame_count);

/* {rule, reason, file, line}, and `count` where it is given. */
void lh_event_rule(struct lh_json *json, const struct lh_rule *rule, const uint64_t *count);

#endif
