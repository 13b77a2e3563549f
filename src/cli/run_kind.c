/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound run says before it starts a program that it cannot watch. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/run.h"

const char *lh_run_say_kind(const struct lh_command *command)
{
    const char *reason = lh_command_reason(command->kind);
    if (reason != NULL)
        fprintf(stderr, "loophound: %s %s\n", command->program, reason);
    return reason;
}
