/* loophound help: pages made from the tables of subcommands and options. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "common/options.h"

#define WIDTH  80
#define INDENT 8

/* Prints words up to the right margin, every line indented. */
static void print_wrapped(FILE *to, const char *text)
{
    int column = 0;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + length > WIDTH) {
            fputc('\n', to);
            column = 0;
        }
        column += column > 0 ? fprintf(to, " %.*s", length, text)
                             : fprintf(to, "%*s%.*s", INDENT, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

static void print_flag(FILE *to, const struct lh_option_info *info)
{
    fputs("  ", to);
    if (info->short_flag != 0)
        fprintf(to, "-%c, ", info->short_flag);
    fprintf(to, "--%s", info->long_flag);
    if (info->argument != NULL)
        fprintf(to, " %s", info->argument);
    fputc('\n', to);
}

static void print_option(FILE *to, const struct lh_option_info *info)
{
    char text[512];
    if (info->long_flag != NULL) {
        print_flag(to, info);
        snprintf(text, sizeof(text), "%s [%s; %s]", info->doc, info->fallback, info->env);
    } else {
        fprintf(to, "  %s=%s (environment only)\n", info->env, info->argument);
        snprintf(text, sizeof(text), "%s [%s]", info->doc, info->fallback);
    }
    print_wrapped(to, text);
}

void lh_help_print_run_flags(FILE *to)
{
    fputs("\nFlags, with [their default; their environment variable]:\n", to);
    for (int option = 0; option < LH_OPTION_COUNT; option++)
        print_option(to, lh_option_info((enum lh_option)option));
    fputs("  --fail\n", to);
    print_wrapped(to, "exit with 99 when anything was reported and the command itself succeeded");
    fputs("\nThe exit status is the command's, 128+n where signal n ended it; 126 or 127 where\n"
          "it could not be started, 125 where loophound failed, 2 for a wrong flag.\n",
          to);
}

void lh_help_print(FILE *to, const struct lh_subcommand *subcommand)
{
    fprintf(to, "usage: loophound %s%s%s\n", subcommand->name,
            subcommand->arguments[0] != '\0' ? " " : "", subcommand->arguments);
    if (subcommand->doc != NULL)
        fprintf(to, "\n%s\n", subcommand->doc);
    if (subcommand->print_flags != NULL)
        subcommand->print_flags(to);
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
