/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the command of loophound run. At this moment the process has one thread only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "common/protocol.h"

#define PID_BYTES 12

struct start {
    char **command;
    const sigset_t *mask;
    const struct sigaction *on_sigchld;
    char *root;         /* LH_ENV_ROOT's value, PID_BYTES of it */
    volatile int error; /* of the child, which has no other way to say it */
};

/* In the child, which uses our memory until it has executed or is gone: vfork(2). */
static void execute(struct start *start)
{
    snprintf(start->root, PID_BYTES, "%d", (int)getpid());
    sigaction(SIGCHLD, start->on_sigchld, NULL);
    sigprocmask(SIG_SETMASK, start->mask, NULL);
    execvp(start->command[0], start->command);
    start->error = errno;
    _exit(127);
}

int lh_run_start(char **command, const sigset_t *mask, const struct sigaction *on_sigchld,
                 pid_t *child)
{
    struct start start = {command, mask, on_sigchld, NULL, 0};
    if (setenv(LH_ENV_ROOT, "00000000000", 1) != 0) /* room for a process id */
        return -errno;
    start.root = getenv(LH_ENV_ROOT);
    /* A fork would copy our address space, for a moment. Every signal is blocked (run.c), so no
     * handler runs in the child before it has executed. NOLINTNEXTLINE(*-vfork) */
    *child = vfork();
    if (*child < 0)
        return -errno;
    if (*child == 0)
        execute(&start);
    while (start.error != 0 && waitpid(*child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return -start.error;
}
