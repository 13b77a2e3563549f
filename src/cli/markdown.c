/* SPDX-License-Identifier: Apache-2.0 */
/* Names from anywhere in tables of Markdown. See markdown.h, and the specifications of CommonMark
 * (code spans, backslash escapes) and of GitHub's tables: a bar ends a cell even in code. */
#include "cli/markdown.h"

#include <stddef.h>
#include <string.h>

/* Backticks around code must be another number than any within. */
static size_t fence_of(const char *text)
{
    size_t longest = 0;
    while (*text != '\0') {
        size_t run = strspn(text, "`");
        longest = run > longest ? run : longest;
        text += run + strcspn(text + run, "`");
    }
    return longest + 1;
}

static void put_fence(FILE *to, size_t length)
{
    for (; length > 0; length--)
        fputc('`', to);
}

void lh_markdown_code(FILE *to, const char *text)
{
    size_t fence = fence_of(text);
    const char *space = fence > 1 ? " " : ""; /* one of each end is taken away */
    if (text[0] == '\0')
        return;
    put_fence(to, fence);
    fputs(space, to);
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, to);
    }
    fputs(space, to);
    put_fence(to, fence);
}

/* A backslash keeps nobody from being told of his name. */
void lh_markdown_text(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fputs("&lt;", to);
        else if (*text == '&')
            fputs("&amp;", to);
        else if (*text == '@')
            fputs("@<!-- -->", to);
        else if (strchr("\\`*_[]|#~!", *text) != NULL)
            fprintf(to, "\\%c", *text);
        else
            fputc(*text == '\n' || *text == '\r' ? ' ' : *text, to);
    }
}
