/* SPDX-License-Identifier: Apache-2.0 */
/* The table of flags as data, and command lines taken by it. See flags.h. */
#include "cli/flags.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define FLAGS_MAX 32 /* of one subcommand */

const struct lh_flag lh_flags[] = {
#define FLAG(subcommand, short_flag, long_flag, argument, fallback, doc)                           \
    {#subcommand, short_flag, long_flag, argument, fallback, doc},
#include "cli/flags.def"
    {NULL, 0, NULL, NULL, NULL, NULL}};

/* As getopt_long(3) wants them: the flags in the order of the table, then --help. */
struct wanted {
    struct option options[FLAGS_MAX + 2];
    char letters[2 * FLAGS_MAX + 2];
    int count; /* without --help */
};

static void want_letter(struct wanted *wanted, size_t *length, char letter, bool has_value)
{
    wanted->letters[(*length)++] = letter;
    if (has_value)
        wanted->letters[(*length)++] = ':';
}

static void want(struct wanted *wanted, const char *subcommand)
{
    size_t length = 0;
    *wanted = (struct wanted){.count = 0};
    for (const struct lh_flag *row = lh_flags; row->subcommand != NULL; row++) {
        if (strcmp(row->subcommand, subcommand) != 0 || wanted->count == FLAGS_MAX)
            continue;
        int has_value = row->argument != NULL ? required_argument : no_argument;
        wanted->options[wanted->count++] =
            (struct option){row->long_flag, has_value, NULL, row->short_flag};
        if (row->short_flag != 0)
            want_letter(wanted, &length, row->short_flag, row->argument != NULL);
    }
    want_letter(wanted, &length, 'h', false);
    wanted->options[wanted->count] = (struct option){"help", no_argument, NULL, 'h'};
}

static int take_one(const char *name, const struct lh_flag_taker *takers, size_t taker_count,
                    void *self, const char *value)
{
    size_t i = 0;
    while (i < taker_count && strcmp(takers[i].name, name) != 0)
        i++;
    return i < taker_count ? takers[i].take(self, value) : LH_EXIT_USAGE;
}

int lh_flags_take(int argc, char **argv, const struct lh_flag_taker *takers, size_t taker_count,
                  void *self)
{
    struct wanted wanted;
    int flag;
    int index = -1; /* of a long flag */
    int status = 0;
    want(&wanted, argv[0]);
    while (status == 0 &&
           (flag = getopt_long(argc, argv, wanted.letters, wanted.options, &index)) != -1) {
        if (flag == '?')
            return LH_EXIT_USAGE; /* getopt has said it */
        if (flag == 'h') {
            lh_help_print(stdout, lh_subcommand_find(argv[0]));
            return -1;
        }
        for (int i = 0; index < 0; i++)
            index = wanted.options[i].val == flag ? i : -1;
        status = take_one(wanted.options[index].name, takers, taker_count, self, optarg);
        index = -1;
    }
    return status;
}

int lh_flag_refuse(const char *subcommand, const char *flag, const char *value,
                   const char *expected, const char *now)
{
    fprintf(stderr, "loophound: %s: --%s %s; expected %s; %s\n", subcommand, flag, value, expected,
            now);
    return LH_EXIT_USAGE;
}
