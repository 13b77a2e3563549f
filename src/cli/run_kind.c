/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound run says before it starts a program that it cannot watch. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/run.h"
#include "common/processor.h"

static const char *const reasons[LH_COMMAND_KINDS] = {
    [LH_COMMAND_STATIC] = "is statically linked: the library cannot get into it, only into dynamic "
                          "programs that it starts",
    [LH_COMMAND_OTHER_CPU] = "is not an " LH_PROCESSOR_NAME " program: it runs without the library",
    [LH_COMMAND_OTHER_LIBC] = "is linked with another libc than glibc: it is not watched, only "
                              "programs of glibc that it starts",
    [LH_COMMAND_PRIVILEGED] = "is setuid or setgid: the dynamic linker ignores LD_PRELOAD there",
    [LH_COMMAND_CAPABILITIES] = "gains file capabilities: the dynamic linker ignores LD_PRELOAD "
                                "there",
    [LH_COMMAND_GO] = "is a Go program: what it calls does not go through libc; only its C code "
                      "(cgo) and the programs that it starts are watched",
};

const char *lh_run_say_kind(const struct lh_command *command)
{
    const char *reason = reasons[command->kind];
    if (reason != NULL)
        fprintf(stderr, "loophound: %s %s\n", command->program, reason);
    return reason;
}
