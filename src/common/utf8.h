/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, and the characters that a reader does not see.
 *
 * Used by the watchdog inside the program too: no malloc, no stdio, no locale. Any thread. */
#ifndef LH_COMMON_UTF8_H
#define LH_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many of the `length` (at least 1) bytes from `text` on are one character, whose code is set;
 * or the begin of one that is none, where the code is LH_UTF8_NONE. The Unicode Standard, table
 * 3-7, and its section 3.9 on what is replaced by one U+FFFD. */
#define LH_UTF8_NONE UINT32_MAX
size_t lh_utf8_next(const char *text, size_t length, uint32_t *code);

/* How many bytes a character takes, at most LH_UTF8_MAX, and its bytes, without a NUL; returns
 * where they end. The code is one (below 0x110000, no surrogate). */
#define LH_UTF8_MAX 4u
uint32_t lh_utf8_length(uint32_t code);
char *lh_utf8_put(char *to, uint32_t code);

/* Would it change how its line looks without being seen itself, or end the line: bidirectional
 * marks, line and paragraph separators, zero-width characters (Unicode's
 * Default_Ignorable_Code_Point), controls (C1; C0 and DEL are not asked for)? */
bool lh_utf8_is_hidden(uint32_t code);

#endif
