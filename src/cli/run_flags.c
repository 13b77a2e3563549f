/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of loophound run, from the table of options. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "common/text.h"

/* An argument such as --threshold=2s or -t2s, taken apart. */
struct argument {
    const char *flag;  /* as it is said to the user, without its value */
    const char *value; /* what stands behind it in the same argument, or NULL */
    int option;        /* LH_OPTION_COUNT: none of the table */
};

static int find_long(const char *name, size_t length)
{
    int option = 0;
    for (; option < LH_OPTION_COUNT; option++) {
        const char *flag = lh_option_info((enum lh_option)option)->long_flag;
        if (flag != NULL && strlen(flag) == length && memcmp(flag, name, length) == 0)
            break;
    }
    return option;
}

static int find_short(char letter)
{
    int option = 0;
    while (option < LH_OPTION_COUNT &&
           (letter == '\0' || lh_option_info((enum lh_option)option)->short_flag != letter))
        option++;
    return option;
}

static struct argument take_apart(const char *text)
{
    struct argument argument = {.flag = text};
    if (text[1] == '-') {
        size_t length = strcspn(text + 2, "=");
        argument.option = find_long(text + 2, length);
        if (text[2 + length] == '=')
            argument.value = text + 2 + length + 1;
    } else {
        argument.option = find_short(text[1]);
        if (text[1] != '\0' && text[2] != '\0')
            argument.value = text + 2;
    }
    return argument;
}

static int fail_unknown(const char *flag)
{
    fprintf(stderr, "loophound: run has no flag %s; see loophound run --help; nothing started\n",
            flag);
    return -EINVAL;
}

static int fail_no_value(const struct lh_option_info *info)
{
    fprintf(stderr, "loophound: --%s needs a value, %s; nothing started\n", info->long_flag,
            info->argument);
    return -EINVAL;
}

static int fail_no_command(void)
{
    fputs("loophound: run needs a command; nothing started\n"
          "usage: loophound run [FLAG...] [--] COMMAND [ARGUMENT...]\n",
          stderr);
    return -EINVAL;
}

static int check_value(enum lh_option option, const char *value)
{
    struct lh_options scratch;
    const char *expected;
    char flag[64];
    char line[LH_OPTION_PROBLEM_BYTES];
    lh_options_init(&scratch);
    if (lh_option_set(&scratch, option, value, &expected) == 0)
        return 0;
    snprintf(flag, sizeof(flag), "--%s", lh_option_info(option)->long_flag);
    lh_option_problem(line, sizeof(line), flag, value, expected, "nothing started");
    fputs(line, stderr);
    return -EINVAL;
}

/* Returns how many of the arguments it took, or -EINVAL. `next` is NULL at the end. */
static int take_option(const struct argument *argument, const char *next,
                       struct lh_run_flags *flags)
{
    enum lh_option option = (enum lh_option)argument->option;
    const struct lh_option_info *info = lh_option_info(option);
    const char *value = argument->value;
    int taken = 1;
    if (value == NULL && info->argument == NULL) {
        value = lh_starts_with(info->long_flag, "no-") ? "off" : "on";
    } else if (value == NULL) {
        if (next == NULL)
            return fail_no_value(info);
        value = next;
        taken = 2;
    }
    if (check_value(option, value) != 0)
        return -EINVAL;
    flags->given[option] = value;
    return taken;
}

static int take_flag(char **argv, struct lh_run_flags *flags)
{
    struct argument argument = take_apart(argv[0]);
    if (argument.option < LH_OPTION_COUNT)
        return take_option(&argument, argv[1], flags);
    if (strcmp(argv[0], "--fail") == 0) {
        flags->fail = true;
        return 1;
    }
    return fail_unknown(argv[0]);
}

int lh_run_flags_parse(int argc, char **argv, struct lh_run_flags *flags)
{
    int i = 1;
    *flags = (struct lh_run_flags){.fail = false};
    while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            flags->help = true;
            return 0;
        }
        int taken = take_flag(argv + i, flags);
        if (taken < 0)
            return taken;
        i += taken;
    }
    if (i < argc && strcmp(argv[i], "--") == 0)
        i++;
    if (i >= argc)
        return fail_no_command();
    flags->command = argv + i;
    return 0;
}
