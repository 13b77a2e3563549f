/* SPDX-License-Identifier: Apache-2.0 */
/* A program's own rules. See own_judge.h. */
#include "collect/link/own_judge.h"

#include <string.h>

#include "common/text.h"

/* The lines, each without who says it. There is room for a few. */
static void warn(struct lh_ring *header, const char *lines)
{
    static const char ours[] = "loophound: ";
    struct lh_text text;
    size_t before = strnlen(header->warnings, sizeof(header->warnings) - 1);
    lh_text_init(&text, header->warnings + before, sizeof(header->warnings) - before);
    if (before > 0 && header->warnings[before - 1] != '\n')
        lh_text_char(&text, '\n');
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        size_t begin = lh_starts_with(lines, ours) ? strlen(ours) : 0;
        for (size_t i = begin; i < length; i++)
            lh_text_char(&text, lines[i]);
        lh_text_char(&text, '\n');
        lines += length + (lines[length] == '\n');
    }
}

struct lh_judge *lh_own_judge(struct lh_ring *header, bool may_read)
{
    static const char not_read[] = "the program is another user's: its rules are not read\n";
    char lines[LH_RULE_PROBLEM_BYTES];
    struct lh_text problem;
    int error;
    const struct lh_options *options = &header->options;
    struct lh_judge_setup setup = {
        .suppress = options->suppress,
        .allow = options->allow,
        .baseline = options->baseline,
        .cwd = header->cwd,
        .now = "no rule of it is used",
    };
    if (!may_read && (setup.suppress[0] != '\0' || setup.baseline[0] != '\0'))
        warn(header, not_read);
    if (!may_read)
        setup.suppress = setup.baseline = "";
    lh_text_init(&problem, lines, sizeof(lines));
    struct lh_judge *judge = lh_judge_new(&setup, &problem, &error);
    if (problem.length > 0)
        warn(header, lines);
    return judge;
}
