/* SPDX-License-Identifier: Apache-2.0 */
/* loophound run: a command under the library, this process being the collector of its tree. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/left_dirs.h"
#include "cli/locate.h"
#include "cli/run.h"

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

static int exit_status(int wait_status, const struct lh_run_totals *totals, bool fail_on_any)
{
    int status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    return status == 0 && fail_on_any && totals->blocks + totals->stalls > 0 ? LH_EXIT_REPORTED
                                                                             : status;
}

static int run_command(const struct lh_run_flags *flags, const struct signals *before,
                       const struct lh_private_dir *dir, struct lh_collector *collector,
                       struct lh_run_end *end)
{
    int wait_status;
    struct lh_run_totals totals;
    int error = lh_run_start(flags->command, &before->mask, &before->on_sigchld, &end->pid);
    if (error != 0)
        return fail_to_start(flags->command[0], error);
    lh_left_dirs_remove(dir->path); /* while the command begins, and not before it */
    error = lh_run_watch(end->pid, collector, &wait_status, &end->seen);
    if (error != 0) {
        fprintf(stderr, "loophound: lost the command: %s\n", strerror(-error));
        return LH_EXIT_FAILED;
    }
    lh_collector_finish(collector, DRAIN_MS);
    lh_collector_count(collector, &totals);
    lh_run_print_end(&totals, end);
    return exit_status(wait_status, &totals, flags->fail);
}

static int run_with_collector(const struct lh_run_flags *flags, const struct signals *before,
                              const char *library, const struct lh_private_dir *dir)
{
    struct lh_collector *collector = lh_collector_new();
    if (collector == NULL)
        return fail("collector", -ENOMEM);
    struct lh_options options;
    struct lh_command command;
    lh_command_find(flags->command[0], &command);
    struct lh_run_end end = {
        .options = &options, .command = command.program, .kind = lh_run_say_kind(&command)};
    if (command.kind == LH_COMMAND_OTHER_CPU) /* its ld.so would complain, in the program's name */
        library = NULL;
    int error = lh_run_environment(flags, library, dir->socket, &options);
    bool usable = error != 0 || lh_run_check_output(&options) == 0;
    if (error == 0 && usable)
        error = lh_collector_listen(collector, dir->socket, &options);
    int status = !usable      ? LH_EXIT_USAGE
                 : error != 0 ? fail(dir->socket, error)
                              : run_command(flags, before, dir, collector, &end);
    lh_collector_free(collector);
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
