/* SPDX-License-Identifier: Apache-2.0 */
/* loophound export: its arguments. */
#include "cli/export.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/report_time.h"

#define DIRECTORIES_MAX 16

struct arguments {
    const struct lh_export_format *format;
    const char *output; /* NULL: standard output */
    struct lh_export_options options;
    const char *directories[DIRECTORIES_MAX + 1];
    uint32_t directory_count;
};

static int fail_usage(const char *flag, const char *value, const char *expected)
{
    return lh_flag_refuse("export", flag, value, expected, "nothing written");
}

static void put_names(FILE *to)
{
    for (const struct lh_export_format *row = lh_export_formats; row->name != NULL; row++)
        fprintf(to, "%s%s",
                row == lh_export_formats ? ""
                : row[1].name == NULL    ? " or "
                                         : ", ",
                row->name);
}

static int take_format(void *self, const char *value)
{
    struct arguments *arguments = self;
    arguments->format = lh_export_format_find(value);
    if (arguments->format != NULL)
        return 0;
    fprintf(stderr, "loophound: export: --format %s; expected ", value);
    put_names(stderr);
    fputs("; nothing written\n", stderr);
    return LH_EXIT_USAGE;
}

static int take_output(void *self, const char *value)
{
    struct arguments *arguments = self;
    if (value[0] == '\0')
        return fail_usage("output", value, "a file, or - for standard output");
    arguments->output = strcmp(value, "-") != 0 ? value : NULL;
    return 0;
}

static int take_symbols(void *self, const char *value)
{
    struct arguments *arguments = self;
    if (arguments->directory_count == DIRECTORIES_MAX)
        return fail_usage("symbols", value, "at most 16 directories");
    arguments->directories[arguments->directory_count++] = value;
    return 0;
}

static int take_top(void *self, const char *value)
{
    struct arguments *arguments = self;
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        return fail_usage("top", value, "a number");
    arguments->options.top = (uint32_t)number;
    return 0;
}

static int take_time(const char *flag, const char *value, int64_t *us)
{
    return lh_time_parse(value, us)
               ? 0
               : fail_usage(flag, value, "a time such as 2026-11-29T08:30:00Z, or 10min (ago)");
}

static int take_since(void *self, const char *value)
{
    struct arguments *arguments = self;
    return take_time("since", value, &arguments->options.range.since_us);
}

static int take_until(void *self, const char *value)
{
    struct arguments *arguments = self;
    return take_time("until", value, &arguments->options.range.until_us);
}

static const struct lh_flag_taker takers[] = {{"format", take_format},   {"output", take_output},
                                              {"symbols", take_symbols}, {"top", take_top},
                                              {"since", take_since},     {"until", take_until}};

/* Of what was not said: nothing can be done, or it would do harm. */
static int check(const struct arguments *arguments, bool has_files)
{
    if (arguments->format == NULL) {
        fputs("loophound: export: no --format; expected ", stderr);
        put_names(stderr);
        fputs("; nothing written\n", stderr);
        return LH_EXIT_USAGE;
    }
    if (!has_files && isatty(STDIN_FILENO) == 1) {
        lh_help_print(stderr, lh_subcommand_find("export"));
        return LH_EXIT_USAGE;
    }
    if (arguments->format->binary && arguments->output == NULL && isatty(STDOUT_FILENO) == 1) {
        fprintf(stderr,
                "loophound: export: %s is binary, and not for a terminal; expected --output FILE, "
                "such as hits%s; nothing written\n",
                arguments->format->name, arguments->format->extension);
        return LH_EXIT_USAGE;
    }
    return 0;
}

int lh_cmd_export(int argc, char **argv)
{
    struct arguments arguments = {.options = LH_EXPORT_DEFAULTS};
    int status = lh_flags_take(argc, argv, takers, sizeof(takers) / sizeof(takers[0]), &arguments);
    if (status == 0)
        status = check(&arguments, optind < argc);
    if (status != 0)
        return status < 0 ? 0 : status;
    arguments.options.directories = arguments.directories;
    return lh_export(arguments.format, &arguments.options, (const char *const *)argv + optind,
                     (size_t)(argc - optind), arguments.output);
}
