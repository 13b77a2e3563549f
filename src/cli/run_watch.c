/* SPDX-License-Identifier: Apache-2.0 */
/* While the command of loophound run runs: its signals, its end, and the collector's work. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "collect/sys/descriptors.h"

/* Does what the signal does by default, so that the shell sees us stop together with the command;
 * ignored signals and orphaned process groups stay the kernel's business. */
static void stop_here(int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL); /* stopped here, until SIGCONT */
    sigprocmask(SIG_BLOCK, &one, NULL);
}

static void pass_on(const struct signalfd_siginfo *info, pid_t child)
{
    int number = (int)info->ssi_signo;
    union sigval value = {.sival_ptr = (void *)(uintptr_t)info->ssi_ptr};
    if (info->ssi_code == SI_QUEUE)
        sigqueue(child, number, value);
    else
        kill(child, number);
}

static void handle_signal(const struct signalfd_siginfo *info, pid_t child)
{
    int number = (int)info->ssi_signo;
    /* SIGPIPE for a write of our own. */
    if (number == SIGCHLD || info->ssi_pid == (uint32_t)getpid())
        return;
    /* The kernel's (a terminal's Ctrl-C, its hang-up) go to the whole process group. */
    bool has_it = info->ssi_code == SI_KERNEL && getpgid(child) == getpgrp();
    if (!has_it)
        pass_on(info, child);
    if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU)
        stop_here(number);
}

static void read_signals(int signal_fd, pid_t child)
{
    struct signalfd_siginfo info;
    while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        handle_signal(&info, child);
}

static int serve(int signal_fd, pid_t child, struct lh_collector *collector, int *wait_status,
                 struct lh_run_seen *seen)
{
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
                           {.fd = lh_collector_fd(collector), .events = POLLIN}};
    for (;;) {
        pid_t ended = waitpid(child, wait_status, WNOHANG);
        if (ended != 0)
            return ended < 0 ? -errno : 0;
        if (poll(fds, 2, lh_run_seen_timeout(seen)) < 0 && errno != EINTR)
            return -errno;
        lh_run_seen_look(seen, child);
        if ((fds[0].revents & POLLIN) != 0)
            read_signals(signal_fd, child);
        if (fds[1].revents != 0 && lh_collector_step(collector) < 0)
            fds[1].fd = -1; /* reports end here, the command does not */
    }
}

int lh_run_watch(pid_t child, struct lh_collector *collector, int *wait_status,
                 struct lh_run_seen *seen)
{
    sigset_t all;
    lh_allow_more_descriptors(); /* the command has its own limit already */
    lh_run_seen_init(seen);
    sigfillset(&all);
    int signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd < 0)
        return -errno;
    int error = serve(signal_fd, child, collector, wait_status, seen);
    close(signal_fd);
    return error;
}
