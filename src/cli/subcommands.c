/* The table of subcommands. */
#include <string.h>

#include "cli/cli.h"
#include "common/protocol.h"

const struct lh_subcommand lh_subcommands[] = {
    {"run", "[FLAG...] [--] COMMAND [ARGUMENT...]",
     "start a command with the library in front, and report what blocks its event loops",
     lh_cmd_run, lh_help_print_run_flags},
    {"report", "[FLAG...] [FILE...]",
     "the worst offenders of reports in JSON, a table; their stacks completed", lh_cmd_report,
     lh_help_print_report_flags},
    {"calls", "", "every interposed call, its group, and when it counts in strict mode",
     lh_cmd_calls, NULL},
    {"help", "[SUBCOMMAND]", "this page, or that of a subcommand", lh_cmd_help, NULL},
    {LH_COLLECTOR_COMMAND, "", NULL, lh_cmd_collector, NULL},
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
