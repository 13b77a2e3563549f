/* SPDX-License-Identifier: Apache-2.0 */
/* loophound help: pages made from the tables of subcommands, options and flags. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/export.h"
#include "cli/flags.h"
#include "common/options.h"

#define WIDTH  80
#define INDENT 8

/* Prints words up to the right margin, every line indented. */
static void print_wrapped(FILE *to, int indent, const char *text)
{
    int column = 0;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + length > WIDTH) {
            fputc('\n', to);
            column = 0;
        }
        column += column > 0 ? fprintf(to, " %.*s", length, text)
                             : fprintf(to, "%*s%.*s", indent, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

static void print_flag(FILE *to, char short_flag, const char *long_flag, const char *argument)
{
    fputs("  ", to);
    if (short_flag != 0)
        fprintf(to, "-%c, ", short_flag);
    fprintf(to, "--%s", long_flag);
    if (argument != NULL)
        fprintf(to, " %s", argument);
    fputc('\n', to);
}

/* A flag that takes an option back: --no-stall. */
static bool is_negative(const struct lh_option_info *info)
{
    return info->argument == NULL && strncmp(info->long_flag, "no-", 3) == 0;
}

static void print_option(FILE *to, const struct lh_option_info *info)
{
    char text[512];
    if (info->long_flag == NULL) {
        fprintf(to, "  %s=%s (environment only)\n", info->env, info->argument);
        snprintf(text, sizeof(text), "%s [%s]", info->doc, info->fallback);
    } else {
        print_flag(to, info->short_flag, info->long_flag, info->argument);
        snprintf(text, sizeof(text), "%s%s [%s; %s]", is_negative(info) ? "turns it off; " : "",
                 info->doc, info->fallback, info->env);
    }
    print_wrapped(to, INDENT, text);
}

static void print_flags(FILE *to, const char *subcommand)
{
    for (const struct lh_flag *flag = lh_flags; flag->subcommand != NULL; flag++) {
        char text[512];
        if (strcmp(flag->subcommand, subcommand) != 0)
            continue;
        bool has_default = flag->fallback != NULL;
        print_flag(to, flag->short_flag, flag->long_flag, flag->argument);
        snprintf(text, sizeof(text), "%s%s%s%s", flag->doc, has_default ? " [" : "",
                 has_default ? flag->fallback : "", has_default ? "]" : "");
        print_wrapped(to, INDENT, text);
    }
}

static void print_options(FILE *to)
{
    fputs("\nFlags, with [their default; their environment variable]:\n", to);
    for (int option = 0; option < LH_OPTION_COUNT; option++)
        print_option(to, lh_option_info((enum lh_option)option));
}

static void print_formats(FILE *to)
{
    fputs("\nFormats:\n", to);
    for (const struct lh_export_format *row = lh_export_formats; row->name != NULL; row++) {
        fprintf(to, "  %s\n", row->name);
        print_wrapped(to, INDENT, row->doc);
    }
}

void lh_help_print(FILE *to, const struct lh_subcommand *subcommand)
{
    fprintf(to, "usage: loophound %s%s%s\n", subcommand->name,
            subcommand->arguments[0] != '\0' ? " " : "", subcommand->arguments);
    if (subcommand->doc != NULL)
        fprintf(to, "\n%s\n", subcommand->doc);
    if (strcmp(subcommand->name, "run") == 0)
        print_options(to);
    print_flags(to, subcommand->name);
    if (strcmp(subcommand->name, "export") == 0)
        print_formats(to);
    if (subcommand->notes != NULL) {
        fputc('\n', to);
        print_wrapped(to, 0, subcommand->notes);
    }
}

void lh_help_print_all(FILE *to)
{
    fputs("usage: loophound SUBCOMMAND ...\n\nloophound finds whatever blocks an event loop.\n\n",
          to);
    for (const struct lh_subcommand *row = lh_subcommands; row->name != NULL; row++)
        if (row->doc != NULL)
            fprintf(to, "  %-10s %s\n", row->name, row->doc);
    fputs("\n  --version  print the version\n  --help     this page\n", to);
}

int lh_cmd_help(int argc, char **argv)
{
    if (argc < 2) {
        lh_help_print_all(stdout);
        return 0;
    }
    const struct lh_subcommand *subcommand = lh_subcommand_find(argv[1]);
    if (subcommand == NULL) {
        fprintf(stderr, "loophound: there is no subcommand %s; see loophound --help\n", argv[1]);
        return LH_EXIT_USAGE;
    }
    lh_help_print(stdout, subcommand);
    return 0;
}
