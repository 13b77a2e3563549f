/* SPDX-License-Identifier: Apache-2.0 */
/* Options as a user may type them: "NUMBER value" lines, the number being that of an option. */
#include "common/options.h"
#include "common/output_name.h"
#include "common/units.h"
#include "fuzz.h"

/* A refused value changes nothing, and is told in one line. */
static void set(struct lh_options *options, enum lh_option option, const char *value)
{
    static char line[LH_OPTION_PROBLEM_BYTES];
    const char *expected = NULL;
    static uint8_t before[sizeof(*options)];
    static uint8_t after[sizeof(*options)];
    memcpy(before, options, sizeof(before));
    if (lh_option_set(options, option, value, &expected) == 0)
        return;
    memcpy(after, options, sizeof(after));
    MUST(memcmp(before, after, sizeof(before)) == 0);
    MUST(expected != NULL);
    size_t length = lh_option_problem(line, sizeof(line), lh_option_info(option)->env, value,
                                      expected, "using the default");
    MUST(length == strlen(line) && line[length - 1] == '\n');
    MUST(strchr(line, '\n') == line + length - 1);
}

/* What was accepted can be relied on by those who use it. */
static void check(const struct lh_options *options)
{
    MUST(options->threshold_ns <= LH_NS_PER_HOUR);
    MUST(options->stack_frames <= LH_STACK_FRAMES_MAX);
    MUST(options->strict <= 1 && options->stall <= 1);
    MUST(options->signal <= LH_SIGNAL_MAX);
    MUST(options->output_kind <= LH_OUTPUT_UNIX);
    MUST(lh_options_format(options) != LH_FORMAT_AUTO);
    MUST(memchr(options->output, '\0', sizeof(options->output)) != NULL);
    MUST(memchr(options->collector, '\0', sizeof(options->collector)) != NULL);
    MUST(memchr(options->loop_globs, '\0', sizeof(options->loop_globs)) != NULL);
    MUST(memchr(options->follow_glob, '\0', sizeof(options->follow_glob)) != NULL);
    (void)lh_glob_list_match(options->loop_globs, "uvloop-worker");
}

static void name_output(const struct lh_options *options)
{
    static struct lh_ring header = {.exe = "/usr/bin/server", .cwd = "/srv", .pid = 42};
    char path[128];
    header.options = *options;
    for (int below_cwd = 0; below_cwd <= 1; below_cwd++)
        if (lh_output_name(path, sizeof(path), &header, below_cwd != 0) == 0)
            MUST(memchr(path, '\0', sizeof(path)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct lh_options options;
    lh_options_init(&options);
    while (input.left > 0) {
        enum lh_option option = (uint8_t)(take_u8(&input) - 'A') % LH_OPTION_COUNT;
        char *value = take_line(&input);
        set(&options, option, value);
        free(value);
    }
    check(&options);
    name_output(&options);
    return 0;
}
