/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON object: a name and its value. See json.h for where they may run. */
#ifndef LH_COMMON_JSON_MEMBER_H
#define LH_COMMON_JSON_MEMBER_H

#include "common/json.h"

void lh_member_string(struct lh_json *json, const char *key, const char *text);
void lh_member_u64(struct lh_json *json, const char *key, uint64_t value);
void lh_member_ms(struct lh_json *json, const char *key, uint64_t ns);
void lh_member_null(struct lh_json *json, const char *key);
void lh_member_id(struct lh_json *json, const char *key, uint64_t id);
void lh_member_true(struct lh_json *json, const char *key);
void lh_member_bool(struct lh_json *json, const char *key, bool value);

/* Text in an array, NUL-terminated or not; nothing in it: null. */
void lh_member_array(struct lh_json *json, const char *key, const char *text, size_t size);

#endif
