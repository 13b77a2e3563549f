/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound doctor has found, and how it is printed. See findings.h.
 *
 * Names come from files and processes that may be anything: what could drive a terminal, or is no
 * UTF-8, is taken out as a finding is added. */
#include "cli/doctor/findings.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/sink/text_parts.h"
#include "common/version.h"

#define COLUMNS      72 /* of a line's text, behind its state */
#define INDENT       "      "
#define DOCTOR_TYPE  "doctor"
#define JSON_VERSION 1

static const struct {
    const char *word;
    const char *colour;
} states[LH_STATES] = {[LH_OK] = {"ok", "\033[32m"},
                       [LH_WARN] = {"warn", "\033[33m"},
                       [LH_MISS] = {"miss", "\033[31m"}};

static void put(char to[LH_FINDING_BYTES], const char *raw)
{
    struct lh_text text;
    lh_text_init(&text, to, LH_FINDING_BYTES);
    lh_text_clean(&text, raw, strlen(raw));
}

static struct lh_finding *add(struct lh_findings *findings, enum lh_state state)
{
    static struct lh_finding left_out;
    struct lh_finding *row =
        findings->count < LH_FINDINGS_MAX ? &findings->rows[findings->count++] : &left_out;
    *row = (struct lh_finding){.check = findings->check, .state = state};
    return row;
}

void lh_find(struct lh_findings *findings, enum lh_state state, const char *format, ...)
{
    char raw[LH_FINDING_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);
    put(add(findings, state)->text, raw);
}

void lh_find_blind(struct lh_findings *findings, const char *format, ...)
{
    char raw[LH_FINDING_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);
    struct lh_finding *row = add(findings, LH_MISS);
    row->blind = true;
    put(row->text, raw);
}

void lh_find_todo(struct lh_findings *findings, const char *format, ...)
{
    char raw[LH_FINDING_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);
    if (findings->count > 0)
        put(findings->rows[findings->count - 1].todo, raw);
}

uint32_t lh_findings_count(const struct lh_findings *findings, enum lh_state state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < findings->count; i++)
        count += findings->rows[i].state == state;
    return count;
}

bool lh_findings_blind(const struct lh_findings *findings)
{
    for (uint32_t i = 0; i < findings->count; i++)
        if (findings->rows[i].blind)
            return true;
    return false;
}

/* Bytes of `text` that fit a line, up to a blank if there is one; a longer word is cut, but never
 * within a character of UTF-8. */
static size_t line_length(const char *text)
{
    size_t length = strlen(text);
    size_t blank = 0;
    size_t columns = 0;
    size_t at = 0;
    for (; at < length; at++) {
        bool begins = ((unsigned char)text[at] & 0xc0) != 0x80;
        if (begins && columns == COLUMNS)
            break;
        columns += begins;
        if (text[at] == ' ')
            blank = at;
    }
    return at == length || blank == 0 || text[at] == ' ' ? at : blank;
}

/* One paragraph, behind the state of a row; its lines below each other. */
static void print_wrapped(const char *text, FILE *to)
{
    do {
        size_t length = line_length(text);
        fprintf(to, "%.*s\n", (int)length, text);
        text += length + strspn(text + length, " ");
        if (*text != '\0')
            fputs(INDENT, to);
    } while (*text != '\0');
}

static void print_row(const struct lh_finding *row, bool coloured, FILE *to)
{
    char todo[LH_FINDING_BYTES + 8];
    fprintf(to, "%s%-4s%s  ", coloured ? states[row->state].colour : "", states[row->state].word,
            coloured ? "\033[0m" : "");
    print_wrapped(row->text, to);
    if (row->todo[0] == '\0')
        return;
    snprintf(todo, sizeof(todo), "do: %s", row->todo);
    fputs(INDENT, to);
    print_wrapped(todo, to);
}

void lh_findings_print(const struct lh_findings *findings, FILE *to)
{
    uint32_t missed = lh_findings_count(findings, LH_MISS);
    uint32_t warned = lh_findings_count(findings, LH_WARN);
    bool coloured = isatty(fileno(to)) == 1 && getenv("NO_COLOR") == NULL;
    for (uint32_t i = 0; i < findings->count; i++)
        print_row(&findings->rows[i], coloured, to);
    if (lh_findings_blind(findings))
        fputs(findings->alone ? "loophound: it cannot watch as it is"
                              : "loophound: it cannot be watched as it is",
              to);
    else if (missed > 0)
        fprintf(to, "loophound: it can be watched, with %" PRIu32 " thing%s missed", missed,
                missed == 1 ? "" : "s");
    else
        fputs(findings->alone ? "loophound: it is ready to watch" : "loophound: it can be watched",
              to);
    if (warned > 0)
        fprintf(to, "; %" PRIu32 " warning%s", warned, warned == 1 ? "" : "s");
    fputc('\n', to);
}

static json_t *json_of(const struct lh_finding *row)
{
    return json_pack("{s:s, s:s, s:s, s:s?}", "check", row->check, "state", states[row->state].word,
                     "text", row->text, "todo", row->todo[0] != '\0' ? row->todo : NULL);
}

/* A word that is no UTF-8 stands there as it can be. */
static json_t *json_of_words(char *const *words)
{
    json_t *list = json_array();
    for (; *words != NULL; words++) {
        char buf[LH_FINDING_BYTES];
        struct lh_text text;
        lh_text_init(&text, buf, sizeof(buf));
        lh_text_clean(&text, *words, strlen(*words));
        json_array_append_new(list, json_string(buf));
    }
    return list;
}

int lh_findings_print_json(const struct lh_findings *findings, char *const *command, int pid,
                           FILE *to)
{
    json_t *checks = json_array();
    for (uint32_t i = 0; i < findings->count; i++)
        json_array_append_new(checks, json_of(&findings->rows[i]));
    json_t *whole = json_pack("{s:i, s:s, s:s, s:o, s:o, s:b, s:o}", "v", JSON_VERSION, "type",
                              DOCTOR_TYPE, "version", LH_VERSION, "command",
                              command != NULL ? json_of_words(command) : json_null(), "pid",
                              pid != 0 ? json_integer(pid) : json_null(), "watchable",
                              !lh_findings_blind(findings), "checks", checks);
    int error = whole == NULL || json_dumpf(whole, to, JSON_COMPACT) != 0 ? -ENOMEM : 0;
    fputc('\n', to);
    json_decref(whole);
    return error;
}
