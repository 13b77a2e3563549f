/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON object. See json_member.h. */
#include "common/json_member.h"

#include <string.h>

void lh_member_string(struct lh_json *json, const char *key, const char *text)
{
    lh_json_key(json, key);
    lh_json_string(json, text);
}

void lh_member_array(struct lh_json *json, const char *key, const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    lh_json_key(json, key);
    if (length == 0)
        lh_json_null(json);
    else
        lh_json_string_n(json, text, length);
}

void lh_member_u64(struct lh_json *json, const char *key, uint64_t value)
{
    lh_json_key(json, key);
    lh_json_u64(json, value);
}

void lh_member_ms(struct lh_json *json, const char *key, uint64_t ns)
{
    lh_json_key(json, key);
    lh_json_ms(json, ns);
}

void lh_member_null(struct lh_json *json, const char *key)
{
    lh_json_key(json, key);
    lh_json_null(json);
}

void lh_member_true(struct lh_json *json, const char *key)
{
    lh_json_key(json, key);
    lh_json_bool(json, true);
}

void lh_member_bool(struct lh_json *json, const char *key, bool value)
{
    lh_json_key(json, key);
    lh_json_bool(json, value);
}

void lh_member_id(struct lh_json *json, const char *key, uint64_t id)
{
    lh_json_key(json, key);
    lh_json_id(json, id);
}
