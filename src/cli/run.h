/* The parts of loophound run. */
#ifndef LH_CLI_RUN_H
#define LH_CLI_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/command_kind.h"
#include "collect/collector.h"
#include "common/options.h"

struct lh_run_flags {
    const char *given[LH_OPTION_COUNT]; /* values of the flags, NULL where a flag was not given */
    bool fail;
    bool help;      /* --help: the rest was not looked at */
    char **command; /* ends in NULL */
};

/* Takes the flags of `loophound run` apart and checks every value. 0, or -EINVAL once it has said
 * in one line what is wrong. */
int lh_run_flags_parse(int argc, char **argv, struct lh_run_flags *flags);

/* Says in one line why the command cannot be watched, or not well. False: there is no reason. */
bool lh_run_say_kind(const struct lh_command *command);

/* Makes our own environment that of the command: the library in LD_PRELOAD (NULL: none), the
 * socket, and each option as its flag or its variable has it. A bad variable is said here, once,
 * and taken away. *options becomes what is in force. 0 or -ENOMEM. */
int lh_run_environment(const struct lh_run_flags *flags, const char *library, const char *socket,
                       struct lh_options *options);

/* Forks and executes. `mask` and `on_sigchld` are the signal mask and the disposition of SIGCHLD
 * that the command is to have. Returns 0 and the child's pid once the command runs, or the negative
 * errno of execve(2) or fork(2). */
int lh_run_start(char **command, const sigset_t *mask, const struct sigaction *on_sigchld,
                 pid_t *child);

/* Serves the collector and passes signals on (they must all be blocked) until the child has ended.
 * 0 and its wait status, or a negative errno. */
int lh_run_watch(pid_t child, struct lh_collector *collector, int *wait_status);

/* The last lines on standard error. `kind_said`: the reason why nothing was seen is known. */
void lh_run_print_end(const struct lh_collector_counts *counts, bool kind_said);

#endif
