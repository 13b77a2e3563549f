/* SPDX-License-Identifier: Apache-2.0 */
/* Text in a fixed buffer. Runs anywhere, also in the watchdog: no malloc, no stdio, no locale, no
 * thread-local storage. */
#include "common/text.h"

#include <string.h>

void lh_text_init(struct lh_text *text, char *buf, size_t size)
{
    *text = (struct lh_text){.buf = buf, .size = size};
    buf[0] = '\0';
}

void lh_text_char(struct lh_text *text, char c)
{
    if (text->length + 1 >= text->size)
        return;
    text->buf[text->length++] = c;
    text->buf[text->length] = '\0';
}

void lh_text_string(struct lh_text *text, const char *string)
{
    while (*string != '\0')
        lh_text_char(text, *string++);
}

static void add_number(struct lh_text *text, uint64_t value, unsigned base)
{
    char digits[LH_DIGITS];
    size_t count = lh_digits(value, base, digits);
    for (size_t i = 0; i < count; i++)
        lh_text_char(text, digits[i]);
}

void lh_text_u64(struct lh_text *text, uint64_t value)
{
    add_number(text, value, 10);
}

void lh_text_hex(struct lh_text *text, uint64_t value)
{
    add_number(text, value, 16);
}

size_t lh_digits(uint64_t value, unsigned base, char digits[LH_DIGITS])
{
    char reversed[LH_DIGITS];
    size_t count = 0;
    do {
        reversed[count++] = LH_HEX_DIGITS[value % base];
        value /= base;
    } while (value != 0);
    for (size_t i = 0; i < count; i++)
        digits[i] = reversed[count - 1 - i];
    return count;
}

uint64_t lh_text_parse_hex(const char *text)
{
    uint64_t value = 0;
    for (;; text++) {
        if (*text >= '0' && *text <= '9')
            value = value << 4 | (uint64_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            value = value << 4 | (uint64_t)(*text - 'a' + 10);
        else
            return value;
    }
}

bool lh_text_copy(char *to, size_t size, const char *string)
{
    size_t length = strlen(string);
    if (length == 0 || length >= size)
        return false;
    memcpy(to, string, length + 1);
    return true;
}

bool lh_starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

const char *lh_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}
