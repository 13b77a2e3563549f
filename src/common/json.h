/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON writer into a fixed buffer, for one object a line.
 *
 * Used by the watchdog inside the program too: no malloc, no stdio, no locale, no thread-local
 * storage. When the buffer is full `overflow` is set and further writes do nothing. No NUL is
 * written. */
#ifndef LH_COMMON_JSON_H
#define LH_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lh_json {
    char *buf;
    size_t size;
    size_t length;
    bool overflow;
};

#define LH_ID_DIGITS 16u /* of an id, hexadecimal */

void lh_json_init(struct lh_json *json, char *buf, size_t size);

/* `{`, `}`, `[`, `]`; commas are placed by the writer. */
void lh_json_open(struct lh_json *json, char bracket);
void lh_json_close(struct lh_json *json, char bracket);

/* A newline: the next value starts a line of its own, without a comma. */
void lh_json_end_line(struct lh_json *json);

/* A member's name, inside an object. */
void lh_json_key(struct lh_json *json, const char *key);

/* Values. A NULL string is null; bytes that are not UTF-8 become U+FFFD. Characters that
 * are not seen are escaped (utf8.h). */
void lh_json_string(struct lh_json *json, const char *text);
void lh_json_string_n(struct lh_json *json, const char *text, size_t length);
void lh_json_u64(struct lh_json *json, uint64_t value);
void lh_json_i64(struct lh_json *json, int64_t value);
void lh_json_hex(struct lh_json *json, uint64_t value); /* "0x1f" */
void lh_json_id(struct lh_json *json, uint64_t value);  /* "000000000000001f" */
void lh_json_ms(struct lh_json *json, uint64_t ns);     /* 301.234; cut, not rounded up */
void lh_json_bool(struct lh_json *json, bool value);
void lh_json_null(struct lh_json *json);

/* RFC 3339, UTC, microseconds, as a string: "2026-11-21T03:34:00.123456Z". */
void lh_json_time(struct lh_json *json, int64_t realtime_ns);

#endif
