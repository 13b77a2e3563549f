/* SPDX-License-Identifier: Apache-2.0 */
/* loophound(1): its subcommands, and what they share. All runs on the command's main thread. */
#ifndef LH_CLI_CLI_H
#define LH_CLI_CLI_H

#include <stdio.h>

/* Exit statuses of our own, beside those of the command that is run. */
enum {
    LH_EXIT_USAGE = 2,      /* nothing was started */
    LH_EXIT_UNSURE = 98,    /* run: nothing was watched, or reports were lost */
    LH_EXIT_REPORTED = 99,  /* run: reported under --fail, new, or over budget */
    LH_EXIT_FAILED = 125,   /* we could not do our part */
    LH_EXIT_NOT_EXEC = 126, /* as in POSIX shells: the command cannot be executed */
    LH_EXIT_NOT_FOUND =
        127 /* as in POSIX shells: there is no such command; or no library of ours */
};

/* A row of the table of subcommands. `argv[0]` is the subcommand; the result is the exit status. */
struct lh_subcommand {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *doc;       /* NULL: not for people, not shown */
    const char *notes;     /* NULL: none */
    int (*run)(int argc, char **argv);
};

/* Ends in a row without a name. */
extern const struct lh_subcommand lh_subcommands[];

/* NULL: there is none of this name. */
const struct lh_subcommand *lh_subcommand_find(const char *name);

int lh_cmd_run(int argc, char **argv);
int lh_cmd_doctor(int argc, char **argv);
int lh_cmd_report(int argc, char **argv);
int lh_cmd_diff(int argc, char **argv);
int lh_cmd_export(int argc, char **argv);
int lh_cmd_rules(int argc, char **argv);
int lh_cmd_calls(int argc, char **argv);
int lh_cmd_collector(int argc, char **argv);
int lh_cmd_help(int argc, char **argv);

/* The page of one subcommand, and that of the whole command. */
void lh_help_print(FILE *to, const struct lh_subcommand *subcommand);
void lh_help_print_all(FILE *to);

/* Says that the subcommand takes no arguments, if there are any. Returns 0 or LH_EXIT_USAGE; asks
 * for help are answered and give -1. */
int lh_no_arguments(int argc, char **argv);

#endif
