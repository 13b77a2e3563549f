/* SPDX-License-Identifier: Apache-2.0 */
/* Text put together in a fixed buffer: cut where it does not fit, always NUL-terminated. And a few
 * questions about strings.
 *
 * Used inside the program too: no malloc, no stdio, no locale, no thread-local storage. */
#ifndef LH_COMMON_TEXT_H
#define LH_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lh_text {
    char *buf;
    size_t size;   /* of buf, at least 1 */
    size_t length; /* without the NUL */
};

void lh_text_init(struct lh_text *text, char *buf, size_t size);
void lh_text_char(struct lh_text *text, char c);
void lh_text_string(struct lh_text *text, const char *string);
void lh_text_u64(struct lh_text *text, uint64_t value);
void lh_text_hex(struct lh_text *text, uint64_t value); /* without 0x */

#define LH_DIGITS 20 /* of the largest uint64_t in base 10 */

/* Writes the digits of `value` in `base` (10 or 16), without a NUL. Returns how many. */
size_t lh_digits(uint64_t value, unsigned base, char digits[LH_DIGITS]);

#define LH_HEX_DIGITS "0123456789abcdef"

/* The number that a text begins with, in lower case hexadecimal; 0 where it begins with none. */
uint64_t lh_text_parse_hex(const char *text);

/* Copies `string` with its NUL; false, and nothing copied, where it does not fit or is empty. */
bool lh_text_copy(char *to, size_t size, const char *string);

bool lh_starts_with(const char *string, const char *prefix);

/* What follows the last slash, or all of it where there is none. */
const char *lh_base_name(const char *path);

#endif
