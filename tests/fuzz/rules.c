/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as anybody may write them: a byte that says whether semicolons end them, then the text. */
#include "common/rules.h"
#include "fuzz.h"

static const struct lh_frame frames[] = {
    {.lang = LH_LANG_NATIVE, .function = "foo::bar(int)", .module = "/usr/lib/libfoo.so.1"},
    {.lang = LH_LANG_PYTHON, .function = "App.load", .file = "/srv/app/views.py"},
    {.lang = LH_LANG_NATIVE, .file = "x.c", .directory = "/src"},
};

static const struct lh_rule_facts facts = {.call = "open",
                                           .group = "file",
                                           .type = "block",
                                           .path = "/etc/passwd",
                                           .thread = "worker",
                                           .frames = frames,
                                           .frame_count = 3,
                                           .at = 1,
                                           .place = 1};

static bool lies_within(struct lh_span span, const char *text, size_t size)
{
    return span.length == 0 || (span.text >= text && span.length <= size &&
                                (size_t)(span.text - text) <= size - span.length);
}

/* What it points to is what was written. */
static void check_rule(const struct lh_rule *rule, const char *text, size_t size)
{
    MUST(rule->part_count > 0 && rule->part_count <= LH_RULE_PARTS);
    MUST(rule->text.length > 0 && lies_within(rule->text, text, size));
    MUST(lies_within(rule->reason, text, size));
    for (uint32_t i = 0; i < rule->part_count; i++) {
        const struct lh_rule_part *part = &rule->parts[i];
        MUST(part->condition < LH_CONDITION_COUNT && part->glob.length > 0);
        MUST(lies_within(part->glob, text, size) && lies_within(part->function, text, size));
    }
    for (uint32_t i = 0; i < rule->text.length; i++)
        MUST((unsigned char)rule->text.text[i] >= 0x20 ||
             strchr("\t\r", rule->text.text[i]) != NULL);
}

/* Written down again it is the same rule. */
static void check_again(const struct lh_rule *rule)
{
    struct lh_rule_reader reader;
    struct lh_rule again;
    struct lh_rule_problem problem;
    lh_rule_reader_init(&reader, rule->text.text, rule->text.length, "again", false);
    MUST(lh_rule_read(&reader, &again, &problem) == 1);
    MUST(again.always == rule->always && again.part_count == rule->part_count);
    for (uint32_t i = 0; i < rule->part_count; i++) {
        MUST(again.parts[i].condition == rule->parts[i].condition);
        MUST(again.parts[i].glob.text == rule->parts[i].glob.text);
        MUST(again.parts[i].glob.length == rule->parts[i].glob.length);
        MUST(again.parts[i].ns == rule->parts[i].ns);
    }
    MUST(lh_rule_matches(rule, &facts) == lh_rule_matches(&again, &facts));
}

/* One line, wherever it had to be cut. */
static void check_problem(const struct lh_rule_problem *problem, const char *text, size_t size,
                          size_t room)
{
    char line[600];
    struct lh_text said;
    MUST(problem->line > 0 && problem->column > 0 && problem->expected != NULL);
    MUST(lies_within(problem->found, text, size));
    lh_text_init(&said, line, 2 + room % (sizeof(line) - 2));
    lh_rule_problem_text(&said, "rules.txt", problem, "nothing started");
    MUST(strchr(line, '\n') == line + said.length - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct lh_rule_reader reader;
    struct lh_rule rule;
    struct lh_rule_problem problem;
    bool semicolons = (take_u8(&input) & 1) != 0;
    size_t length = input.left;
    char *text = malloc(length > 0 ? length : 1);
    uint32_t line = 0;
    size_t read = 0;
    int result;
    if (text == NULL)
        abort();
    take(&input, text, length);
    lh_rule_reader_init(&reader, text, length, "rules.txt", semicolons);
    while ((result = lh_rule_read(&reader, &rule, &problem)) != 0) {
        MUST(++read <= length); /* it comes to an end */
        if (result < 0) {
            check_problem(&problem, text, length, read * 37 + length);
            continue;
        }
        MUST(rule.line >= line);
        line = rule.line;
        check_rule(&rule, text, length);
        if (!semicolons)
            check_again(&rule);
        (void)lh_rule_matches(&rule, &facts);
    }
    free(text);
    return 0;
}
