/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of baselines. See place_rule.h. */
#include "collect/report/place_rule.h"

#include <stddef.h>
#include <string.h>

#include "collect/report/fingerprint.h"
#include "common/qualified_name.h"

/* A value that has to stand in quotes: it has a blank, or begins with one of them. */
static bool needs_quotes(const char *value)
{
    return strpbrk(value, " \t") != NULL || value[0] == '"' || value[0] == '\'';
}

static void add_value(struct lh_text *rule, const char *value)
{
    char quote = strchr(value, '"') == NULL ? '"' : '\'';
    bool quoted = needs_quotes(value);
    if (quoted)
        lh_text_char(rule, quote);
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool allowed = c >= 0x20 && c != 0x7f && !(quoted && *at == quote);
        lh_text_char(rule, allowed ? *at : '?');
    }
    if (quoted)
        lh_text_char(rule, quote);
}

/* A colon ends the file. */
static void add_file(struct lh_text *value, const char *file)
{
    for (; *file != '\0'; file++)
        lh_text_char(value, *file == ':' ? '?' : *file);
}

static void add_function(struct lh_text *value, const struct lh_frame *frame)
{
    char name[LH_QUALIFIED_BYTES];
    if (frame->function == NULL || frame->function[0] == '\0')
        return;
    const char *function = frame->function;
    if (frame->lang != LH_LANG_PYTHON) {
        lh_qualified_name(function, name);
        function = name;
    }
    if (function[0] == '\0')
        return;
    lh_text_char(value, ':');
    lh_text_string(value, function);
}

/* A frozen module is no file: its name is all there is. */
static const char *file_of(const struct lh_frame *frame, const char *cwd)
{
    if (frame->file == NULL)
        return frame->module != NULL ? lh_base_name(frame->module) : NULL;
    return frame->file[0] == '<' ? frame->file : lh_place_file(frame->file, cwd);
}

bool lh_place_rule(const struct lh_rule_facts *facts, const char *cwd,
                   char rule[LH_PLACE_RULE_BYTES])
{
    char buf[LH_PLACE_RULE_BYTES];
    struct lh_text value;
    struct lh_text text;
    if (facts->place >= facts->frame_count)
        return false;
    const struct lh_frame *frame = &facts->frames[facts->place];
    const char *file = file_of(frame, cwd);
    if (file == NULL || file[0] == '\0')
        return false;
    lh_text_init(&value, buf, sizeof(buf));
    add_file(&value, file);
    add_function(&value, frame);
    lh_text_init(&text, rule, LH_PLACE_RULE_BYTES);
    lh_text_string(&text, facts->call != NULL ? "call:" : "type:");
    lh_text_string(&text, facts->call != NULL ? facts->call : facts->type);
    lh_text_string(&text, " place:");
    add_value(&text, buf);
    return value.length < sizeof(buf) - 1 && text.length < LH_PLACE_RULE_BYTES - 1;
}
