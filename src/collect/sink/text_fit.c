/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that fit a terminal. Runs on the threads of the rings. See text_fit.h. */
#include "collect/sink/text_fit.h"

#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

#define LINE_BYTES 4096 /* a longer line is left as it is */
#define INDENT     4
#define UTF8_MAX   4 /* bytes of a character */
#define DOTS       "..."

/* Terminals give two columns to what Unicode's EastAsianWidth.txt calls wide, none to accents. */
static size_t columns_of(uint32_t point)
{
    static const struct {
        uint32_t first, last;
        size_t columns;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0}, {0x2e80, 0x303e, 2},
        {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2}, {0xfe00, 0xfe0f, 0},
        {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2}, {0x1f300, 0x1f64f, 2},
        {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return ranges[i].columns;
    return 1;
}

/* The bytes of the next character, or of the next colour. */
static size_t step(const char *at, size_t *columns)
{
    uint32_t point;
    *columns = 0;
    if (at[0] == '\033') {
        const char *end = strchr(at, 'm');
        if (end != NULL)
            return (size_t)(end - at) + 1;
    }
    size_t bytes = lh_utf8_next(at, strnlen(at, UTF8_MAX), &point);
    *columns = bytes > 0 ? columns_of(point) : 1;
    return bytes > 0 ? bytes : 1;
}

/* The bytes of as much as `width` columns hold. */
static size_t bytes_in(const char *string, size_t width)
{
    size_t at = 0;
    size_t used = 0;
    while (string[at] != '\0') {
        size_t columns;
        size_t bytes = step(string + at, &columns);
        if (used + columns > width)
            break;
        used += columns;
        at += bytes;
    }
    return at;
}

size_t lh_text_width(const char *string)
{
    size_t width = 0;
    while (*string != '\0') {
        size_t columns;
        string += step(string, &columns);
        width += columns;
    }
    return width;
}

static void shorten(struct lh_text *text, size_t length)
{
    text->length = length;
    text->buf[length] = '\0';
}

static size_t without_spaces(const char *line, size_t length)
{
    while (length > 0 && line[length - 1] == ' ')
        length--;
    return length;
}

void lh_text_cut(struct lh_text *text, size_t from, size_t width)
{
    const char *line = text->buf + from;
    if (width == 0 || lh_text_width(line) <= width)
        return;
    size_t dots = width > sizeof(DOTS) ? sizeof(DOTS) - 1 : 0;
    size_t kept = bytes_in(line, width - dots);
    shorten(text, from + without_spaces(line, kept));
    if (dots > 0)
        lh_text_string(text, DOTS);
}

/* Before a bracket or "in CALL", at a comma or a colon. */
static bool part_begins(const char *line, size_t at)
{
    return strchr(",;:", line[at]) != NULL
               ? line[at + 1] == ' '
               : lh_starts_with(line + at, " (") || lh_starts_with(line + at, " in ");
}

void lh_text_cut_parts(struct lh_text *text, size_t from, size_t width)
{
    const char *line = text->buf + from;
    if (width == 0 || lh_text_width(line) <= width)
        return;
    size_t most = bytes_in(line, width);
    size_t last = 0;
    int depth = 0; /* of brackets: none is left open */
    for (size_t at = 1; at <= most; at++) {
        if (depth == 0 && part_begins(line, at))
            last = at;
        depth += (line[at] == '(') - (line[at] == ')');
    }
    if (last > most / 2)
        shorten(text, from + last);
    else
        lh_text_cut(text, from, width);
}

void lh_text_cut_lines(struct lh_text *text, const char *lines, size_t width, const char *reset)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        size_t begin = text->length;
        for (size_t i = 0; i < length; i++)
            lh_text_char(text, lines[i]);
        size_t whole = text->length;
        lh_text_cut(text, begin, width);
        if (text->length != whole)
            lh_text_string(text, reset);
        lines += length;
        if (*lines == '\n')
            lh_text_char(text, *lines++);
    }
}

/* Between two parts of a sentence: before a bracket, after a comma and the like. */
static bool parts_end(const char *line, size_t at)
{
    return at > 0 && line[at] == ' ' &&
           (line[at + 1] == '(' || strchr(",;:", line[at - 1]) != NULL);
}

/* Where to break: between two parts, or else two words, or else in the middle of one. */
static size_t break_at(const char *line, size_t width)
{
    size_t most = bytes_in(line, width);
    size_t part = most;
    size_t word = most;
    if (line[most] == '\0')
        return most;
    while (part > 0 && !parts_end(line, part))
        part--;
    while (word > 0 && line[word] != ' ')
        word--;
    if (part > width / 2)
        return part;
    return word > 0 ? word : most > 0 ? most : strlen(line);
}

void lh_text_wrap(struct lh_text *text, size_t from, size_t width)
{
    char line[LINE_BYTES];
    if (width <= 2 * INDENT || lh_text_width(text->buf + from) <= width ||
        text->length - from >= sizeof(line))
        return;
    memcpy(line, text->buf + from, text->length - from + 1);
    shorten(text, from);
    const char *at = line;
    size_t left = width;
    while (*at != '\0') {
        size_t length = break_at(at, left);
        size_t kept = without_spaces(at, length);
        for (size_t i = 0; i < kept; i++)
            lh_text_char(text, at[i]);
        at += length + strspn(at + length, " ");
        left = width - INDENT;
        if (*at != '\0')
            lh_text_string(text, "\n    ");
    }
}
