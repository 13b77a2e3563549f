/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of loophound run. */
#ifndef LH_CLI_RUN_H
#define LH_CLI_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/command_kind.h"
#include "cli/run_seen.h"
#include "collect/link/collector.h"
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

/* Says in one line why the command cannot be watched, or not well, and returns that as part of a
 * sentence. NULL: there is no reason. */
const char *lh_run_say_kind(const struct lh_command *command);

/* Makes our own environment that of the command: the library in LD_PRELOAD (NULL: none), the
 * socket, and each option as its flag or its variable has it. A bad variable is said here, once,
 * and taken away. *options becomes what is in force. 0 or -ENOMEM. */
int lh_run_environment(const struct lh_run_flags *flags, const char *library, const char *socket,
                       struct lh_options *options);

/* Can the output be written to, as far as is known before a process runs? 0, or a negative errno
 * once it has said in one line what is wrong. A file that is missing is made. */
int lh_run_check_output(const struct lh_options *options);

/* Forks and executes. `mask` and `on_sigchld` are the signal mask and the disposition of SIGCHLD
 * that the command is to have. Returns 0 and the child's pid once the command runs, or the negative
 * errno of execve(2) or fork(2). */
int lh_run_start(char **command, const sigset_t *mask, const struct sigaction *on_sigchld,
                 pid_t *child);

/* Serves the collector and passes signals on (they must all be blocked) until the child has ended.
 * 0, its wait status and what it was seen waiting in, or a negative errno. */
int lh_run_watch(pid_t child, struct lh_collector *collector, int *wait_status,
                 struct lh_run_seen *seen);

/* What is known of the command when it has ended. */
struct lh_run_end {
    const struct lh_options *options;
    struct lh_run_seen seen;
    pid_t pid;
    const char *command; /* its file */
    const char *kind;    /* why it could not be watched, as part of a sentence; NULL: it could */
};

/* The last lines on standard error, and of JSON where nothing was watched. */
void lh_run_print_end(const struct lh_run_totals *totals, const struct lh_run_end *end);

/* Writes the summary that says so, where the output is JSON. */
void lh_run_write_nothing(const struct lh_run_end *end, const char *why);

#endif
