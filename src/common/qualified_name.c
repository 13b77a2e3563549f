/* SPDX-License-Identifier: Apache-2.0 */
/* Qualified names. Runs anywhere, on names that a program's files say. */
#include "common/qualified_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"

/* What may stand before the type that a method of Rust is of. */
static const char *inside_rust_type(const char *name)
{
    static const char *const before[] = {"<",     "&",     "mut ",    "dyn ", "*const ",
                                         "impl ", "*mut ", "unsafe ", "(",    "["};
    size_t i = 0;
    while (i < sizeof(before) / sizeof(before[0])) {
        bool found = lh_starts_with(name, before[i]);
        name += found ? strlen(before[i]) : 0;
        i = found ? 0 : i + 1;
    }
    return name;
}

/* "operator<" and its like are no brackets. */
static const char *after_operator(const char *at)
{
    static const char word[] = "operator";
    if (!lh_starts_with(at, word))
        return at;
    at += strlen(word);
    if (lh_starts_with(at, "()") || lh_starts_with(at, "[]"))
        return at + 2;
    return at + strspn(at, "<>=-!");
}

/* The return type ends at the last blank outside of brackets, the name where its parameters begin.
 */
static void find_cxx_name(const char **begin, const char **end)
{
    int depth = 0;
    const char *at = *begin;
    *end = at + strlen(at);
    while (*at != '\0') {
        const char *next = depth == 0 ? after_operator(at) : at;
        if (next > at) {
            at = next;
            if (*at == ' ' && at[1] != '(') /* operator new, operator bool */
                at++;
            continue;
        }
        bool opens = strchr("<([{", *at) != NULL;
        if (*at == '(' && depth == 0 && at > *begin && at[-1] != ' ' &&
            !lh_starts_with(at, "(anonymous namespace)")) {
            *end = at;
            return;
        }
        if (*at == ' ' && depth == 0)
            *begin = at + 1;
        depth += opens ? 1 : strchr(">)]}", *at) != NULL && depth > 0 ? -1 : 0;
        at++;
    }
}

void lh_qualified_name(const char *function, char name[LH_QUALIFIED_BYTES])
{
    static const char decltype_of[] = "decltype";
    const char *begin = function[0] == '<' ? inside_rust_type(function) : function;
    const char *end = begin + strlen(begin);
    if (function[0] != '<') {
        if (lh_starts_with(begin, decltype_of) && strchr(begin, ')') != NULL &&
            strchr(begin, ')')[1] == ' ')
            begin = strchr(begin, ')') + 2;
        find_cxx_name(&begin, &end);
    }
    size_t length = (size_t)(end - begin);
    if (length >= LH_QUALIFIED_BYTES)
        length = LH_QUALIFIED_BYTES - 1;
    memcpy(name, begin, length);
    name[length] = '\0';
}
