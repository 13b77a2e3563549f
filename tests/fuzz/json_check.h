/* SPDX-License-Identifier: Apache-2.0 */
/* Is this one line of JSON (RFC 8259)? Written for the fuzzers, apart from the writer it checks. */
#ifndef LH_TESTS_FUZZ_JSON_CHECK_H
#define LH_TESTS_FUZZ_JSON_CHECK_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_text {
    const char *at;
    const char *end;
};

static inline bool json_take(struct json_text *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

/* The length of the UTF-8 sequence at `at`; 0: there is none (RFC 3629). */
static inline size_t utf8_length(const unsigned char *at, size_t left)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (length == 0 || length > left || at[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool too_long = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] >= 0xa0;
    bool too_large = at[0] == 0xf4 && at[1] >= 0x90;
    return too_long || surrogate || too_large ? 0 : length;
}

static inline bool json_escape(struct json_text *text)
{
    if (text->at == text->end)
        return false;
    char c = *text->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++)
        if (text->at == text->end || !isxdigit((unsigned char)*text->at++))
            return false;
    return true;
}

static inline bool json_string(struct json_text *text)
{
    if (!json_take(text, '"'))
        return false;
    while (text->at < text->end) {
        if (json_take(text, '"'))
            return true;
        if (json_take(text, '\\')) {
            if (!json_escape(text))
                return false;
            continue;
        }
        const unsigned char *byte = (const unsigned char *)text->at;
        size_t length = utf8_length(byte, (size_t)(text->end - text->at));
        if (length == 0 || *byte < 0x20)
            return false;
        text->at += length;
    }
    return false;
}

static inline bool json_digits(struct json_text *text)
{
    const char *start = text->at;
    while (text->at < text->end && isdigit((unsigned char)*text->at))
        text->at++;
    return text->at > start;
}

static inline bool json_number(struct json_text *text)
{
    (void)json_take(text, '-');
    const char *start = text->at;
    if (!json_digits(text) || (*start == '0' && text->at > start + 1))
        return false;
    return !json_take(text, '.') || json_digits(text);
}

static inline bool json_word(struct json_text *text, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

static inline bool json_value(struct json_text *text, unsigned depth);

/* `{` has been taken, or `[`; so is what closes it. */
static inline bool json_members(struct json_text *text, char close, unsigned depth)
{
    if (json_take(text, close))
        return true;
    do {
        if (close == '}' && !(json_string(text) && json_take(text, ':')))
            return false;
        if (!json_value(text, depth - 1))
            return false;
    } while (json_take(text, ','));
    return json_take(text, close);
}

static inline bool json_value(struct json_text *text, unsigned depth)
{
    if (depth == 0 || text->at == text->end)
        return false;
    if (json_take(text, '{'))
        return json_members(text, '}', depth);
    if (json_take(text, '['))
        return json_members(text, ']', depth);
    if (*text->at == '"')
        return json_string(text);
    return json_word(text, "null") || json_word(text, "true") || json_word(text, "false") ||
           json_number(text);
}

/* One object and its newline, and nothing else. */
static inline bool is_json_line(const char *line, size_t length)
{
    struct json_text text = {line, line + length};
    return length > 0 && line[0] == '{' && json_value(&text, 16) && json_take(&text, '\n') &&
           text.at == text.end;
}

#endif
