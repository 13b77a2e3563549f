/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the command of loophound run. At the fork this process has one thread only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "common/protocol.h"

/* In the child. What goes wrong is told through the pipe, which a successful exec closes. */
static void execute(char **command, const sigset_t *mask, const struct sigaction *on_sigchld,
                    int tell_fd)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv(LH_ENV_ROOT, pid, 1);
    sigaction(SIGCHLD, on_sigchld, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    int error = errno;
    ssize_t written = write(tell_fd, &error, sizeof(error));
    _exit(written == (ssize_t)sizeof(error) ? 127 : 126);
}

/* Waits until the child has executed. 0, or its negative errno; then the child is gone. */
static int wait_for_exec(pid_t child, int tell_fd)
{
    int error = 0;
    ssize_t length;
    do {
        length = read(tell_fd, &error, sizeof(error));
    } while (length < 0 && errno == EINTR);
    if (length != (ssize_t)sizeof(error))
        return 0;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return -error;
}

int lh_run_start(char **command, const sigset_t *mask, const struct sigaction *on_sigchld,
                 pid_t *child)
{
    int tell[2];
    if (pipe2(tell, O_CLOEXEC) != 0)
        return -errno;
    *child = fork();
    if (*child == 0)
        execute(command, mask, on_sigchld, tell[1]);
    int error = *child < 0 ? -errno : 0;
    close(tell[1]);
    if (error == 0)
        error = wait_for_exec(*child, tell[0]);
    close(tell[0]);
    return error;
}
