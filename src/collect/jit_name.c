/* What a name in a perf map says. Runs in the collector, on text that a program wrote. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "collect/jit_map.h"

/* V8's kinds of code that is a function of JavaScript (src/logging/code-events.h). */
static const char *without_kind(const char *name)
{
    static const char *const kinds[] = {"JS:", "LazyCompile:", "Function:", "Script:", "Eval:"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
            return name + strlen(kinds[i]);
    return NULL;
}

/* Cuts ":NUMBER" from the end of `text`; 0: there is none. */
static uint32_t cut_number(char *text)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL || !isdigit((unsigned char)colon[1]) ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return 0;
    unsigned long number = strtoul(colon + 1, NULL, 10);
    *colon = '\0';
    return number <= UINT32_MAX ? (uint32_t)number : 0;
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
    char *function = name + (inner - name) + strspn(inner, "~^*+"); /* how it was compiled */
    cut_number(function);                                           /* the column */
    uint32_t line = cut_number(function);
    char *file = find_file(function);
    found->function = function;
    if (file != NULL) {
        *file++ = '\0';
        found->file = strncmp(file, url, sizeof(url) - 1) == 0 ? file + sizeof(url) - 1 : file;
        found->line = line;
    }
    if (function[0] == '\0')
        found->function = "(anonymous)";
}
