/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of loophound run. */
#ifndef LH_CLI_RUN_H
#define LH_CLI_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/command_kind.h"
#include "cli/run_report.h"
#include "cli/run_seen.h"
#include "collect/link/collector.h"
#include "collect/report/judge.h"
#include "common/options.h"

struct lh_run_flags {
    const char *given[LH_OPTION_COUNT]; /* values of the flags, NULL where a flag was not given */
    char *joined[LH_OPTION_COUNT];      /* what `given` has of a flag that was repeated */
    const char *budget;                 /* NULL: none */
    struct lh_run_reports reports;
    enum lh_run_github github;
    bool fail;
    bool update_baseline;
    bool strict_baseline;
    bool force;
    bool require_loop;
    bool help;      /* --help: the rest was not looked at */
    char **command; /* ends in NULL */
};

/* The terms of --budget, each of which must hold at the end. */
#define LH_BUDGET_TERMS 16
struct lh_budget {
    uint32_t count;
    struct lh_budget_term {
        const char *text; /* as it was given, with its length */
        int length;
        int measure;
        int group; /* of calls, LH_TALLY_STALLS, or negative: all */
        bool share;
        uint64_t limit; /* ns, how many, or, of a share of the time, millionths */
    } terms[LH_BUDGET_TERMS];
};

/* 0, or -EINVAL and what was expected. The terms point into `text`. */
int lh_budget_parse(struct lh_budget *budget, const char *text, const char **expected);

/* Says which terms do not hold, a line each; `elapsed_ns`: how long the command ran. Returns how
 * many. */
uint32_t lh_budget_check(const struct lh_budget *budget, const struct lh_tally *tallies,
                         uint64_t elapsed_ns);

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

/* Reads the rules and the baseline that the options name. With them, and with --report, each report
 * is to be told: the rate is off unless the user has given one. 0, or the exit status, once it has
 * said what is wrong.
 */
int lh_run_judge(const struct lh_run_flags *flags, struct lh_options *options,
                 struct lh_judge **judge);

/* How often each rule was used, and those that never were. */
void lh_run_print_rules(const struct lh_verdict *verdict);

/* May this file become a baseline? 0, or the exit status, once it has said why not. *fresh: it is
 * none yet, or is to be written over, and is not to be read. */
int lh_run_check_baseline(const struct lh_run_flags *flags, const char *path, bool *fresh);

/* Says which places are new, with what can be done about them, and which are gone. `advise`: how
 * these get out of the baseline. */
void lh_run_print_places(const struct lh_verdict *verdict, bool advise);

/* Writes the baseline with the new places; `drop`: without those that are gone. 0, or a negative
 * errno once it has said so. */
int lh_run_update_baseline(const struct lh_verdict *verdict, const char *path, bool drop);

uint64_t lh_run_gone(const struct lh_verdict *verdict); /* places of the baseline not seen */

/* What decides on the exit status once the command has ended. */
struct lh_run_outcome {
    int command;       /* its own status, as a shell has it */
    bool failed;       /* we could not do our part */
    uint64_t reported; /* blocks and stalls that are neither suppressed nor known */
    uint64_t loops;
    uint64_t dropped;
    uint64_t gone; /* places of the baseline */
    uint32_t over_budget;
    bool strict;
    bool has_baseline;
};

/* The one place where it is decided; docs/rules.md has the table. */
int lh_run_status(const struct lh_run_outcome *outcome, const struct lh_run_flags *flags);

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
    const struct lh_run_kept *kept;
};

/* The last lines on standard error, and of JSON where nothing was watched. */
void lh_run_print_end(const struct lh_run_totals *totals, const struct lh_verdict *verdict,
                      const struct lh_run_end *end);

/* Blocks, or stalls, that are neither suppressed nor known. */
uint64_t lh_run_left(uint64_t all, uint64_t suppressed, uint64_t known);

/* Writes the summary that says so, where the output is JSON. */
void lh_run_write_nothing(const struct lh_run_end *end, const char *why);

#endif
