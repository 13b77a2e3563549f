/* SPDX-License-Identifier: Apache-2.0 */
/* loophound run: a command under the library, this process being the collector of its tree. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/hint.h"
#include "cli/left_dirs.h"
#include "cli/locate.h"
#include "cli/run.h"
#include "collect/sys/clock.h"

/* The command has ended: what it did last is worth the wait. Reading the symbols of a large program
 * takes a busy machine more than a few hundred ms; an output that nobody reads gives up by itself.
 */
#define DRAIN_MS 5000

/* What the command is to inherit, kept while we have every signal blocked. */
struct signals {
    sigset_t mask;
    struct sigaction on_sigchld;
};

static int fail(const char *what, int error)
{
    fprintf(stderr, "loophound: %s: %s; nothing started\n", what, strerror(-error));
    return LH_EXIT_FAILED;
}

/* Blocked signals wait for the signalfd, so none can end us before the directory is removed. An
 * ignored SIGCHLD would take the exit status away (waitpid(2)). */
static void block_signals(struct signals *before)
{
    sigset_t all;
    struct sigaction defaults = {.sa_handler = SIG_DFL};
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before->mask);
    sigaction(SIGCHLD, &defaults, &before->on_sigchld);
}

static int fail_to_start(const char *command, int error)
{
    bool missing = error == -ENOENT;
    fprintf(stderr, "loophound: %s: %s; nothing started\n", command,
            missing && strchr(command, '/') == NULL ? "command not found" : strerror(-error));
    return missing ? LH_EXIT_NOT_FOUND : LH_EXIT_NOT_EXEC;
}

/* As a shell has it. */
static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* What GitHub gets by itself fails nobody's build where it cannot be had: in a container it knows
 * nothing of, say. */
static bool write_reports(const struct lh_run_flags *flags, const struct lh_run_end *end,
                          uint64_t loops)
{
    bool shown;
    bool kept = end->kept->name[0] != '\0'; /* else it was said before the command started */
    bool github = kept && loops > 0 && lh_run_wants_github(flags->github);
    uint32_t failed = lh_run_reports_write(&flags->reports, end->kept, github, &shown);
    return failed == 0 && (shown || flags->github == LH_GITHUB_AUTO);
}

/* How to look at what was reported, where it is in a file and not on this terminal. */
static void hint(const struct lh_run_flags *flags, const struct lh_options *options,
                 uint64_t reported)
{
    const char *const files[] = {options->output};
    bool shown = false;
    for (uint32_t i = 0; i < flags->reports.count; i++)
        shown |= strcmp(flags->reports.one[i].format->name, "html") == 0;
    if (reported > 0 && !shown && options->output_kind == LH_OUTPUT_PATH &&
        lh_options_format(options) == LH_FORMAT_JSON && strchr(options->output, '%') == NULL)
        lh_hint_see(stderr, files, 1);
}

/* Says what the rules, the baseline and the budget have to say, and decides on the exit status. */
static int conclude(const struct lh_run_flags *flags, int wait_status, int64_t elapsed_ns,
                    const struct lh_run_totals *totals, struct lh_judge *judge,
                    const struct lh_run_end *end)
{
    struct lh_verdict verdict;
    struct lh_budget budget = {.count = 0};
    const char *expected;
    const struct lh_options *options = end->options;
    lh_judge_verdict(judge, &verdict);
    struct lh_run_outcome outcome = {
        .command = status_of(wait_status),
        .reported = lh_run_left(totals->blocks, verdict.suppressed_blocks, verdict.known_blocks) +
                    lh_run_left(totals->stalls, verdict.suppressed_stalls, verdict.known_stalls),
        .loops = totals->loops,
        .dropped = totals->dropped,
        .gone = lh_run_gone(&verdict),
        .strict = options->strict != 0,
        .has_baseline = verdict.has_baseline};
    lh_run_print_rules(&verdict);
    if (verdict.has_baseline)
        lh_run_print_places(&verdict, !flags->update_baseline);
    if (flags->update_baseline && totals->loops == 0)
        fprintf(stderr, "loophound: nothing was watched: %s is as it was\n", options->baseline);
    else if (flags->update_baseline)
        outcome.failed = lh_run_update_baseline(&verdict, options->baseline, flags->force) != 0;
    if (flags->budget != NULL && lh_budget_parse(&budget, flags->budget, &expected) == 0)
        outcome.over_budget = lh_budget_check(&budget, verdict.tallies, (uint64_t)elapsed_ns);
    lh_run_print_end(totals, &verdict, end);
    outcome.failed |= !write_reports(flags, end, totals->loops);
    hint(flags, options, outcome.reported);
    return lh_run_status(&outcome, flags);
}

static int run_command(const struct lh_run_flags *flags, const struct signals *before,
                       const struct lh_private_dir *dir, struct lh_collector *collector,
                       struct lh_judge *judge, struct lh_run_end *end)
{
    int wait_status;
    struct lh_run_totals totals;
    int64_t begin_ns = lh_monotonic_ns();
    int error = lh_run_start(flags->command, &before->mask, &before->on_sigchld, &end->pid);
    if (error != 0)
        return fail_to_start(flags->command[0], error);
    lh_left_dirs_remove(dir->path); /* while the command begins, and not before it */
    error = lh_run_watch(end->pid, collector, &wait_status, &end->seen);
    if (error != 0) {
        fprintf(stderr, "loophound: lost the command: %s\n", strerror(-error));
        return LH_EXIT_FAILED;
    }
    int64_t elapsed_ns = lh_monotonic_ns() - begin_ns;
    lh_collector_finish(collector, DRAIN_MS);
    lh_collector_count(collector, &totals);
    return conclude(flags, wait_status, elapsed_ns, &totals, judge, end);
}

/* What GitHub gets by itself keeps nothing from starting. 0 or the exit status. */
static int keep(const struct lh_run_flags *flags, const struct lh_options *options,
                struct lh_run_kept *kept)
{
    bool asked = flags->reports.count > 0 || flags->github == LH_GITHUB_ON;
    if (!asked && !lh_run_wants_github(flags->github))
        return 0;
    int error = lh_run_keep(kept, options);
    if (error != 0)
        fprintf(stderr,
                "loophound: no room for a file in TMPDIR, /tmp, /var/tmp or /dev/shm (%s): %s\n",
                strerror(-error), asked ? "nothing started" : "GitHub gets no annotations");
    return error != 0 && asked ? LH_EXIT_FAILED : 0;
}

/* What the command's reports need before it starts. 0 or the exit status, once it is said what is
 * wrong. */
static int check_outputs(const struct lh_run_flags *flags, const struct lh_options *options,
                         struct lh_run_kept *kept)
{
    if (lh_run_check_output(options) != 0 || lh_run_reports_check(&flags->reports, options) != 0)
        return LH_EXIT_USAGE;
    return keep(flags, options, kept);
}

static int run_with_collector(const struct lh_run_flags *flags, const struct signals *before,
                              const char *library, const struct lh_private_dir *dir)
{
    struct lh_collector *collector = lh_collector_new();
    if (collector == NULL)
        return fail("collector", -ENOMEM);
    static struct lh_judge *judge; /* never freed: a thread that was given up may still use it */
    struct lh_options options;
    struct lh_command command;
    struct lh_run_kept kept = {.fd = -1};
    lh_command_find(flags->command[0], &command);
    struct lh_run_end end = {.options = &options,
                             .command = command.program,
                             .kind = lh_run_say_kind(&command),
                             .kept = &kept};
    if (command.kind == LH_COMMAND_OTHER_CPU) /* its ld.so would complain, in the program's name */
        library = NULL;
    int error = lh_run_environment(flags, library, dir->socket, &options);
    int status = error == 0 ? lh_run_judge(flags, &options, &judge) : 0;
    if (error == 0 && status == 0)
        status = check_outputs(flags, &options, &kept);
    lh_collector_keep(collector, kept.fd);
    if (error == 0 && status == 0)
        error = lh_collector_listen(collector, dir->socket, &options, judge);
    if (error != 0)
        status = fail(dir->socket, error);
    if (status == 0)
        status = run_command(flags, before, dir, collector, judge, &end);
    lh_collector_free(collector);
    lh_run_keep_end(&kept);
    return status;
}

int lh_cmd_run(int argc, char **argv)
{
    struct lh_run_flags flags;
    struct lh_private_dir dir;
    struct signals before;
    char library[PATH_MAX];
    if (lh_run_flags_parse(argc, argv, &flags) != 0)
        return LH_EXIT_USAGE;
    if (flags.help) {
        lh_help_print(stdout, lh_subcommand_find("run"));
        return 0;
    }
    if (lh_locate_library(library, sizeof(library)) != 0)
        return LH_EXIT_NOT_FOUND;
    block_signals(&before);
    int error = lh_private_dir_make(&dir);
    if (error != 0)
        return fail("no directory for its socket (XDG_RUNTIME_DIR, TMPDIR, /tmp, /dev/shm, "
                    "/var/tmp, HOME)",
                    error);
    int status = run_with_collector(&flags, &before, library, &dir);
    lh_private_dir_remove(&dir);
    return status;
}
