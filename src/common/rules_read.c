/* SPDX-License-Identifier: Apache-2.0 */
/* Rules read from text. Runs in the library's constructor and in the command: no malloc, no stdio,
 * no locale. What is read was written by a person, and may be anything. */
#include <errno.h>
#include <string.h>

#include "common/calls.h"
#include "common/number.h"
#include "common/rules.h"

#define FOUND_SHOWN 60u /* bytes of what is wrong that are repeated */

static const char expected_name[] = "one of "
#define CONDITION(name, ...) #name ": "
#include "conditions.def"
                                    "as docs/rules.md has them";
static const char expected_condition[] = "a condition such as call:flock or at:app/views.py";
static const char expected_value[] = "a value behind the colon";
static const char expected_quote[] = "the quote that ends the value";
static const char expected_blank[] = "a blank behind the quote that ends the value";
static const char expected_fewer[] = "at most 8 conditions in a rule";
static const char expected_text[] = "text without control characters";
static const char expected_group[] = "sleep, network, dns, file, lock, process, wait or other";
static const char expected_type[] = "block or stall";
static const char expected_descriptor[] = "socket, pipe, tty, device, file or anon";
static const char expected_duration[] = "a duration such as 5ms, 2s or 500us, of an hour at most";
static const char expected_place[] = "FILE or FILE:FUNCTION";
static const char expected_module[] = "MODULE or MODULE!FUNCTION";

/* One rule while it is read: what is left of its line. */
struct line {
    const char *begin;
    const char *at;
    const char *end;
    struct lh_rule_problem *problem;
};

static int fail(const struct line *line, const char *at, const char *end, const char *expected)
{
    uint32_t column = 1;
    for (const char *c = line->begin; c < at; c++)
        column += ((unsigned char)*c & 0xc0) != 0x80;
    line->problem->column = column;
    line->problem->found = (struct lh_span){at, (uint32_t)(end - at)};
    line->problem->expected = expected;
    return -EINVAL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool span_is(struct lh_span span, const char *word)
{
    return strlen(word) == span.length && memcmp(span.text, word, span.length) == 0;
}

/* Each reads part->glob, which is what stands behind the colon, and is not empty. Returns NULL or
 * what was expected. */
static const char *read_glob(struct lh_rule_part *part)
{
    (void)part;
    return NULL;
}

static const char *read_group(struct lh_rule_part *part)
{
    for (int group = 0; group < LH_GROUP_COUNT; group++)
        if (span_is(part->glob, lh_group_name((enum lh_group)group)))
            return NULL;
    return expected_group;
}

static const char *read_type(struct lh_rule_part *part)
{
    return span_is(part->glob, "block") || span_is(part->glob, "stall") ? NULL : expected_type;
}

static const char *read_descriptor(struct lh_rule_part *part)
{
    static const char *const kinds[] = {"socket", "pipe", "tty", "device", "file", "anon"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (span_is(part->glob, kinds[i]))
            return NULL;
    return expected_descriptor;
}

/* The parser wants a string that ends. */
static const char *read_duration(struct lh_rule_part *part)
{
    char text[32];
    if (part->glob.length >= sizeof(text))
        return expected_duration;
    memcpy(text, part->glob.text, part->glob.length);
    text[part->glob.length] = '\0';
    return lh_duration_read(text, &part->ns) == 0 ? NULL : expected_duration;
}

/* At the first `mark` on: the file has none. */
static bool split(struct lh_rule_part *part, char mark)
{
    const char *found = memchr(part->glob.text, mark, part->glob.length);
    if (found == NULL)
        return true;
    const char *end = part->glob.text + part->glob.length;
    part->function = (struct lh_span){found + 1, (uint32_t)(end - found - 1)};
    part->glob.length = (uint32_t)(found - part->glob.text);
    return part->glob.length > 0 && part->function.length > 0;
}

static const char *read_place(struct lh_rule_part *part)
{
    return split(part, ':') ? NULL : expected_place;
}

static const char *read_module(struct lh_rule_part *part)
{
    return split(part, '!') ? NULL : expected_module;
}

static const struct {
    const char *name;
    const char *(*read)(struct lh_rule_part *part);
} conditions[LH_CONDITION_COUNT] = {
#define CONDITION(name, value, ...) [LH_CONDITION_##name] = {#name, read_##value},
#include "conditions.def"
};

/* The name of a frozen module is the one with a blank in it that everybody has. */
static const char *end_of_bare(const struct line *line)
{
    static const char frozen[] = "<frozen ";
    const char *at = line->at;
    size_t left = (size_t)(line->end - at);
    if (left > strlen(frozen) && memcmp(at, frozen, strlen(frozen)) == 0) {
        const char *close = memchr(at, '>', left);
        at = close != NULL ? close : at;
    }
    while (at < line->end && !is_blank(*at))
        at++;
    return at;
}

static int take_value(struct line *line, struct lh_span *value)
{
    const char *begin = line->at;
    char quote = begin < line->end ? *begin : '\0';
    if (quote != '"' && quote != '\'') {
        line->at = end_of_bare(line);
        *value = (struct lh_span){begin, (uint32_t)(line->at - begin)};
        return 0;
    }
    begin++;
    const char *close = memchr(begin, quote, (size_t)(line->end - begin));
    if (close == NULL)
        return fail(line, begin - 1, line->end, expected_quote);
    line->at = close + 1;
    *value = (struct lh_span){begin, (uint32_t)(close - begin)};
    if (line->at < line->end && !is_blank(*line->at))
        return fail(line, line->at, end_of_bare(line), expected_blank);
    return 0;
}

static int find_condition(struct lh_span name)
{
    int i = 0;
    while (i < LH_CONDITION_COUNT && !span_is(name, conditions[i].name))
        i++;
    return i;
}

static int read_part(struct line *line, struct lh_rule_part *part)
{
    const char *begin = line->at;
    const char *token_end = end_of_bare(line);
    const char *colon = memchr(begin, ':', (size_t)(token_end - begin));
    if (colon == NULL)
        return fail(line, begin, token_end, expected_condition);
    int condition = find_condition((struct lh_span){begin, (uint32_t)(colon - begin)});
    if (condition == LH_CONDITION_COUNT)
        return fail(line, begin, token_end, expected_name);
    *part = (struct lh_rule_part){.condition = (enum lh_condition)condition};
    line->at = colon + 1;
    if (take_value(line, &part->glob) != 0)
        return -EINVAL;
    const char *expected =
        part->glob.length > 0 ? conditions[condition].read(part) : expected_value;
    return expected == NULL ? 0 : fail(line, begin, line->at, expected);
}

static void skip_blanks(struct line *line)
{
    while (line->at < line->end && is_blank(*line->at))
        line->at++;
}

static struct lh_span without_blanks(const char *begin, const char *end)
{
    while (begin < end && is_blank(*begin))
        begin++;
    while (end > begin && is_blank(end[-1]))
        end--;
    return (struct lh_span){begin, (uint32_t)(end - begin)};
}

/* What would break the line that repeats it, or the terminal. */
static int check_characters(const struct line *line)
{
    for (const char *at = line->at; at < line->end; at++)
        if (((unsigned char)*at < 0x20 && !is_blank(*at)) || *at == 0x7f)
            return fail(line, at, at + 1, expected_text);
    return 0;
}

/* 1, or 0: there is nothing but blanks and a comment. */
static int read_rule(struct line *line, struct lh_rule *rule)
{
    skip_blanks(line);
    const char *begin = line->at;
    if (check_characters(line) != 0)
        return -EINVAL;
    if (line->at == line->end || *line->at == '#')
        return 0;
    rule->always = *line->at == '!';
    line->at += rule->always;
    for (skip_blanks(line); line->at < line->end && *line->at != '#'; skip_blanks(line)) {
        if (rule->part_count == LH_RULE_PARTS)
            return fail(line, line->at, end_of_bare(line), expected_fewer);
        if (read_part(line, &rule->parts[rule->part_count]) != 0)
            return -EINVAL;
        rule->part_count++;
    }
    if (rule->part_count == 0)
        return fail(line, line->at, line->end, expected_condition);
    rule->text = without_blanks(begin, line->at);
    if (line->at < line->end)
        rule->reason = without_blanks(line->at + 1, line->end);
    return 1;
}

/* A semicolon in a quoted value is one of its characters. */
static const char *end_of_line(const struct lh_rule_reader *reader)
{
    char quote = '\0';
    bool reason = false;
    for (const char *at = reader->at; at < reader->end; at++) {
        bool opens = (*at == '"' || *at == '\'') && at > reader->at && at[-1] == ':';
        if (*at == '\n' || (*at == ';' && reader->semicolons && quote == '\0'))
            return at;
        reason |= *at == '#' && quote == '\0' && (at == reader->at || is_blank(at[-1]));
        if (quote != '\0')
            quote = *at == quote ? '\0' : quote;
        else if (opens && !reason)
            quote = *at;
    }
    return reader->end;
}

void lh_rule_reader_init(struct lh_rule_reader *reader, const char *text, size_t length,
                         const char *file, bool semicolons)
{
    *reader = (struct lh_rule_reader){.at = text,
                                      .begin = text,
                                      .end = text + length,
                                      .file = file,
                                      .line = 1,
                                      .semicolons = semicolons};
}

int lh_rule_read(struct lh_rule_reader *reader, struct lh_rule *rule,
                 struct lh_rule_problem *problem)
{
    int result = 0;
    while (result == 0 && reader->at < reader->end) {
        const char *end = end_of_line(reader);
        struct line line = {reader->begin, reader->at, end, problem};
        *rule = (struct lh_rule){.file = reader->file, .line = reader->line};
        problem->line = reader->line;
        result = read_rule(&line, rule);
        reader->at = end < reader->end ? end + 1 : end;
        if (end < reader->end && *end == '\n') {
            reader->line++;
            reader->begin = reader->at;
        }
    }
    return result;
}

void lh_rule_problem_text(struct lh_text *line, const char *file,
                          const struct lh_rule_problem *problem, const char *now)
{
    size_t size = line->size;
    line->size = size - 1; /* one byte kept for the newline */
    lh_text_string(line, "loophound: ");
    lh_text_string(line, file);
    lh_text_char(line, ':');
    lh_text_u64(line, problem->line);
    lh_text_char(line, ':');
    lh_text_u64(line, problem->column);
    lh_text_string(line, ": \"");
    for (uint32_t i = 0; i < problem->found.length && i < FOUND_SHOWN; i++) {
        unsigned char c = (unsigned char)problem->found.text[i];
        lh_text_char(line, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
    lh_text_string(line,
                   problem->found.length > FOUND_SHOWN ? "...\": expected " : "\": expected ");
    lh_text_string(line, problem->expected);
    lh_text_string(line, "; ");
    lh_text_string(line, now);
    line->size = size;
    lh_text_char(line, '\n');
}
