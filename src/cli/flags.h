/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of subcommands, as the table (flags.def) has them. Main thread. */
#ifndef LH_CLI_FLAGS_H
#define LH_CLI_FLAGS_H

#include <stddef.h>

/* A row of the table. */
struct lh_flag {
    const char *subcommand;
    char short_flag; /* 0: none */
    const char *long_flag;
    const char *argument; /* NULL: takes nothing */
    const char *fallback; /* NULL: nothing that could be named */
    const char *doc;
};

/* Ends in a row without a subcommand. */
extern const struct lh_flag lh_flags[];

/* What a subcommand does with one of its flags. `value` is NULL where it takes nothing. Returns 0,
 * or the exit status once it has said what is wrong. */
struct lh_flag_taker {
    const char *name; /* the long one; each flag of the subcommand has a taker */
    int (*take)(void *self, const char *value);
};

/* Takes all flags of the subcommand argv[0]; what is left begins at argv[optind], getopt(3). Asks
 * for help are answered and give -1. 0, or the exit status once it is said what is wrong. */
int lh_flags_take(int argc, char **argv, const struct lh_flag_taker *takers, size_t taker_count,
                  void *self);

/* Says that this value cannot be; `now`: what happens, "nothing read". Returns LH_EXIT_USAGE. */
int lh_flag_refuse(const char *subcommand, const char *flag, const char *value,
                   const char *expected, const char *now);

#endif
