/* SPDX-License-Identifier: Apache-2.0 */
/* What a name in a perf map says. Runs in the collector, on text that a program wrote. */
#include "collect/stack/jit_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* V8's kinds of code that is a function of JavaScript (src/logging/code-events.h). */
static const char *without_kind(const char *name)
{
    static const char *const kinds[] = {"JS:", "LazyCompile:", "Function:", "Script:", "Eval:"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (lh_starts_with(name, kinds[i]))
            return name + strlen(kinds[i]);
    return NULL;
}

/* Cuts ":NUMBER" from the end of `text`. False: there is none. */
static bool cut_number(char *text, uint32_t *number)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL || !isdigit((unsigned char)colon[1]) ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return false;
    unsigned long value = strtoul(colon + 1, NULL, 10);
    *colon = '\0';
    *number = value <= UINT32_MAX ? (uint32_t)value : 0;
    return true;
}

/* Behind the file stand the line and the column; before Node.js 20 the line alone. */
static uint32_t cut_line(char *text)
{
    uint32_t last = 0;
    uint32_t line = 0;
    bool is_column = cut_number(text, &last) && cut_number(text, &line);
    return is_column ? line : last;
}

/* How V8 compiled it: not, by Sparkplug, Maglev, Turbofan; the latter two also while it ran ("o")
 * (CodeKindToMarker() in src/objects/code-kind.cc). */
static char *behind_mark(char *text)
{
    if (text[0] == 'o' && (text[1] == '+' || text[1] == '*'))
        text++;
    return text + strspn(text, "~^*+-");
}

/* Both may have blanks in them ("get total", "/srv/my app/a.js"): a file's name begins in one of
 * these ways. */
static char *find_file(char *text)
{
    static const char *const begins[] = {" /", " file://", " node:"};
    char *first = NULL;
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        char *found = strstr(text, begins[i]);
        if (found != NULL && (first == NULL || found < first))
            first = found;
    }
    return first != NULL ? first : strrchr(text, ' ');
}

void lh_jit_name_parse(char *name, struct lh_jit_symbol *found)
{
    static const char url[] = "file://";
    *found = (struct lh_jit_symbol){.function = name};
    const char *inner = without_kind(name);
    if (inner == NULL)
        return;
    char *function = behind_mark(name + (inner - name));
    uint32_t line = cut_line(function);
    char *file = find_file(function);
    found->function = function;
    if (file != NULL) {
        *file++ = '\0';
        found->file = lh_starts_with(file, url) ? file + sizeof(url) - 1 : file;
        found->line = line;
    }
    if (function[0] == '\0')
        found->function = "(anonymous)";
}
