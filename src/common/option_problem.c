/* SPDX-License-Identifier: Apache-2.0 */
/* The line about a bad value. Runs in the library's constructor and in the command: no malloc, no
 * stdio, no locale. */
#include <string.h>

#include "common/options.h"
#include "common/text.h"

#define VALUE_SHOWN 200 /* bytes of a bad value that are repeated to the user */

/* A value can hold anything: what would break the line or the terminal is shown as `?`. */
static void add_value(struct lh_text *line, const char *value)
{
    size_t shown = strnlen(value, VALUE_SHOWN);
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)value[i];
        lh_text_char(line, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
    if (value[shown] != '\0')
        lh_text_string(line, "...");
}

size_t lh_option_problem(char *buf, size_t size, const char *what, const char *value,
                         const char *expected, const char *now)
{
    struct lh_text line;
    lh_text_init(&line, buf, size - 1); /* one byte kept for the newline */
    lh_text_string(&line, "loophound: ");
    lh_text_string(&line, what);
    lh_text_char(&line, '=');
    add_value(&line, value);
    lh_text_string(&line, ": expected ");
    lh_text_string(&line, expected);
    lh_text_string(&line, "; ");
    lh_text_string(&line, now);
    line.size = size;
    lh_text_char(&line, '\n');
    return line.length;
}
