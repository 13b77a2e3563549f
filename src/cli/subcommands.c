/* SPDX-License-Identifier: Apache-2.0 */
/* The table of subcommands (subcommands.def) as data. */
#include <string.h>

#include "cli/cli.h"
#include "common/protocol.h"

const struct lh_subcommand lh_subcommands[] = {
#define SUBCOMMAND(name, arguments, doc, notes) {#name, arguments, doc, notes, lh_cmd_##name},
#include "cli/subcommands.def"
    {LH_COLLECTOR_COMMAND, "", NULL, NULL, lh_cmd_collector},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct lh_subcommand *lh_subcommand_find(const char *name)
{
    for (const struct lh_subcommand *row = lh_subcommands; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

int lh_no_arguments(int argc, char **argv)
{
    if (argc < 2)
        return 0;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        lh_help_print(stdout, lh_subcommand_find(argv[0]));
        return -1;
    }
    fprintf(stderr, "loophound: %s takes no %s; see loophound help %s\n", argv[0], argv[1],
            argv[0]);
    return LH_EXIT_USAGE;
}
