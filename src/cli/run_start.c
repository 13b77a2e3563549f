/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the command of loophound run. At this moment the process has one thread only. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "common/protocol.h"

#define PID_BYTES   12
#define STACK_BYTES (64 * 1024)

struct start {
    char **command;
    const sigset_t *mask;
    const struct sigaction *on_sigchld;
    char *root;         /* LH_ENV_ROOT's value, PID_BYTES of it */
    volatile int error; /* of the child, which has no other way to say it */
};

/* In the child, which uses our memory until it has executed or is gone: CLONE_VFORK, clone(2). */
static int execute(void *argument)
{
    struct start *start = argument;
    snprintf(start->root, PID_BYTES, "%d", (int)getpid());
    sigaction(SIGCHLD, start->on_sigchld, NULL);
    sigprocmask(SIG_SETMASK, start->mask, NULL);
    execvp(start->command[0], start->command);
    start->error = errno;
    _exit(127);
}

/* execvp(3) copies the arguments there, for a script without an interpreter. */
static size_t stack_bytes(char **command)
{
    size_t count = 0;
    while (command[count] != NULL)
        count++;
    return (STACK_BYTES + count * sizeof(*command) + 4095) / 4096 * 4096;
}

/* A fork would copy our address space, for a moment. Every signal is blocked (run.c), so no handler
 * runs in the child before it has executed. */
static int clone_child(struct start *start, pid_t *child)
{
    size_t size = stack_bytes(start->command);
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return -errno;
    *child = clone(execute, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, start);
    int error = *child < 0 ? -errno : -start->error;
    munmap(stack, size);
    return error;
}

int lh_run_start(char **command, const sigset_t *mask, const struct sigaction *on_sigchld,
                 pid_t *child)
{
    struct start start = {command, mask, on_sigchld, NULL, 0};
    if (setenv(LH_ENV_ROOT, "00000000000", 1) != 0) /* room for a process id */
        return -errno;
    start.root = getenv(LH_ENV_ROOT);
    int error = clone_child(&start, child);
    while (start.error != 0 && waitpid(*child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return error;
}
