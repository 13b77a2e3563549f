/* SPDX-License-Identifier: Apache-2.0 */
/* loophound(1). A subcommand is a row in subcommands.c and a file of its own. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "common/version.h"

static int print_version(void)
{
    puts("loophound " LH_VERSION);
    return 0;
}

static int fail_unknown(const char *name)
{
    fprintf(stderr, "loophound: there is no subcommand %s; see loophound --help\n", name);
    return LH_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        lh_help_print_all(stderr);
        return LH_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0)
        return print_version();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    const struct lh_subcommand *subcommand = lh_subcommand_find(name);
    if (subcommand == NULL)
        return fail_unknown(name);
    return subcommand->run(argc - 1, argv + 1);
}
