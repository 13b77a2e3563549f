/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of loophound run, from the table of options. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static int refuse(const char *flag, const char *value, const char *expected)
{
    char line[LH_OPTION_PROBLEM_BYTES];
    lh_option_problem(line, sizeof(line), flag, value, expected, "nothing started");
    fputs(line, stderr);
    return -EINVAL;
}

static int check_value(enum lh_option option, const char *value)
{
    struct lh_options scratch;
    const char *expected;
    char flag[64];
    lh_options_init(&scratch);
    if (lh_option_set(&scratch, option, value, &expected) == 0)
        return 0;
    snprintf(flag, sizeof(flag), "--%s", lh_option_info(option)->long_flag);
    return refuse(flag, value, expected);
}

/* A list that is given again goes on. NULL: out of memory. */
static const char *join(enum lh_option option, const char *value, struct lh_run_flags *flags)
{
    char separator = option == LH_OPTION_SUPPRESS ? ':' : option == LH_OPTION_ALLOW ? '\n' : '\0';
    char *before = flags->joined[option];
    if (separator == '\0' || flags->given[option] == NULL)
        return value;
    if (asprintf(&flags->joined[option], "%s%c%s", flags->given[option], separator, value) < 0)
        flags->joined[option] = NULL;
    free(before);
    return flags->joined[option];
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
    value = join(option, value, flags);
    if (value == NULL || check_value(option, value) != 0)
        return -EINVAL;
    flags->given[option] = value;
    return taken;
}

/* The flags that are no options of the library, and take nothing. */
static bool *switch_of(struct lh_run_flags *flags, const char *flag)
{
    const struct {
        const char *name;
        bool *on;
    } switches[] = {{"--fail", &flags->fail},
                    {"--update-baseline", &flags->update_baseline},
                    {"--strict-baseline", &flags->strict_baseline},
                    {"--force", &flags->force},
                    {"--require-loop", &flags->require_loop}};
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        if (strcmp(switches[i].name, flag) == 0)
            return switches[i].on;
    return NULL;
}

static int take_budget(struct lh_run_flags *flags, const char *value)
{
    struct lh_budget budget;
    const char *expected;
    if (lh_budget_parse(&budget, value, &expected) != 0)
        return refuse("--budget", value, expected);
    flags->budget = value;
    return 0;
}

static int take_report(struct lh_run_flags *flags, const char *value)
{
    const char *expected;
    if (lh_run_report_parse(&flags->reports, value, &expected) != 0)
        return refuse("--report", value, expected);
    return 0;
}

static int take_github(struct lh_run_flags *flags, const char *value)
{
    static const char *const words[] = {
        [LH_GITHUB_AUTO] = "auto", [LH_GITHUB_ON] = "on", [LH_GITHUB_OFF] = "off"};
    for (int i = 0; i < 3; i++) {
        flags->github = (enum lh_run_github)i;
        if (strcmp(value, words[i]) == 0)
            return 0;
    }
    return refuse("--github", value, "auto, on or off");
}

/* The flags that are no options of the library, and take a value; flags.def has what it is. */
static const struct valued {
    const char *flag;
    const char *argument;
    int (*take)(struct lh_run_flags *flags, const char *value);
} valued_flags[] = {{"--budget", "TERMS", take_budget},
                    {"--report", "FORMAT:FILE", take_report},
                    {"--github", "WHEN", take_github}};

/* NULL: it is none of these. */
static const struct valued *valued_of(const char *text)
{
    for (size_t i = 0; i < sizeof(valued_flags) / sizeof(valued_flags[0]); i++) {
        size_t length = strlen(valued_flags[i].flag);
        if (lh_starts_with(text, valued_flags[i].flag) && strchr("=", text[length]) != NULL)
            return &valued_flags[i];
    }
    return NULL;
}

/* As take_option(). */
static int take_valued(const struct valued *row, const char *text, const char *next,
                       struct lh_run_flags *flags)
{
    const char *equals = strchr(text, '=');
    const char *value = equals != NULL ? equals + 1 : next;
    if (value == NULL) {
        fprintf(stderr, "loophound: %s needs a value, %s; nothing started\n", row->flag,
                row->argument);
        return -EINVAL;
    }
    int error = row->take(flags, value);
    return error != 0 ? error : equals != NULL ? 1 : 2;
}

static int take_flag(char **argv, struct lh_run_flags *flags)
{
    struct argument argument = take_apart(argv[0]);
    if (argument.option < LH_OPTION_COUNT)
        return take_option(&argument, argv[1], flags);
    bool *on = switch_of(flags, argv[0]);
    if (on != NULL) {
        *on = true;
        return 1;
    }
    const struct valued *row = valued_of(argv[0]);
    return row != NULL ? take_valued(row, argv[0], argv[1], flags) : fail_unknown(argv[0]);
}

static bool has_baseline(const struct lh_run_flags *flags)
{
    const char *given = flags->given[LH_OPTION_BASELINE];
    if (given == NULL)
        given = getenv(lh_option_info(LH_OPTION_BASELINE)->env);
    return given != NULL && strcmp(given, "none") != 0;
}

/* Flags that mean nothing without another. */
static int check_together(const struct lh_run_flags *flags)
{
    const struct {
        bool given;
        bool has;
        const char *line;
    } needs[] = {
        {flags->update_baseline, has_baseline(flags), "--update-baseline needs --baseline FILE"},
        {flags->strict_baseline, has_baseline(flags), "--strict-baseline needs --baseline FILE"},
        {flags->force, flags->update_baseline, "--force needs --update-baseline"},
    };
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (!needs[i].given || needs[i].has)
            continue;
        fprintf(stderr, "loophound: %s; nothing started\n", needs[i].line);
        return -EINVAL;
    }
    return 0;
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
    return check_together(flags);
}
