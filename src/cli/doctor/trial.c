/* SPDX-License-Identifier: Apache-2.0 */
/* --trial: two seconds of the command under `loophound run`, in a process group of its own. What it
 * has started is ended with it, also what has left the group: this process is made the one to which
 * orphans go (PR_SET_CHILD_SUBREAPER, prctl(2)). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/proc.h"
#include "cli/doctor/trial_events.h"
#include "cli/locate.h"
#include "common/text.h"

#define TRIAL_MS   2000
#define END_MS     3000 /* after SIGTERM; then SIGKILL */
#define THRESHOLD  "5ms"
#define ROUNDS_MAX 64 /* of orphans, which may have children in turn */

/* Where reports and what the command prints go. */
struct trial {
    char reports[sizeof(((struct lh_private_dir *)NULL)->path) + 16];
    char printed[sizeof(((struct lh_private_dir *)NULL)->path) + 16];
    pid_t pid;
    int status;
    bool ended;      /* by itself, before its time was over */
    int signal_fd;   /* readable when a signal would end us; -1: none is waited for any more */
    sigset_t before; /* the mask that the command is to have */
};

static void redirect(const struct trial *trial)
{
    int from = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int to = open(trial->printed, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(from, STDIN_FILENO);
    dup2(to, STDOUT_FILENO);
    dup2(to, STDERR_FILENO);
}

/* In the child. Should we be ended, it is, too, and passes that on to the command. */
static void execute(const struct trial *trial, char **command)
{
    const char *const head[] = {"loophound", "run",    "-t", THRESHOLD,      "--format", "json",
                                "--stacks",  "inline", "-o", trial->reports, "--"};
    size_t count = sizeof(head) / sizeof(head[0]);
    char **words = calloc(count + LH_WORDS_MAX + 1, sizeof(*words));
    for (size_t i = 0; words != NULL && i < count; i++)
        words[i] = strdup(head[i]);
    for (size_t i = 0; words != NULL && i < LH_WORDS_MAX && command[i] != NULL; i++)
        words[count + i] = command[i];
    redirect(trial);
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &trial->before, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (words != NULL)
        execv("/proc/self/exe", words);
    _exit(LH_EXIT_FAILED);
}

/* True once it has ended. A signal that would end us ends the wait, and is left to come later. */
static bool wait_for(struct trial *trial, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = (int)syscall(SYS_pidfd_open, trial->pid, 0), .events = POLLIN},
        {.fd = trial->signal_fd, .events = POLLIN},
    };
    bool ended = poll(fds, 2, timeout_ms) > 0 && (fds[0].revents & POLLIN) != 0;
    if (fds[0].fd >= 0)
        close(fds[0].fd);
    return ended && waitpid(trial->pid, &trial->status, 0) == trial->pid;
}

/* Those that came to us when their parents ended. */
static void end_orphans(void)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < ROUNDS_MAX; round++) {
        int64_t pid;
        if (!lh_file_number(path, &pid) || kill((pid_t)pid, SIGKILL) != 0)
            return;
        waitpid((pid_t)pid, NULL, 0);
    }
}

static void end(struct trial *trial)
{
    close(trial->signal_fd);
    trial->signal_fd = -1;
    kill(-trial->pid, SIGTERM);
    if (!wait_for(trial, END_MS)) {
        kill(-trial->pid, SIGKILL);
        waitpid(trial->pid, &trial->status, 0);
    }
    kill(-trial->pid, SIGKILL);
    end_orphans();
}

/* The last line that it has printed itself: ours begin with our name, or go on from one that does.
 */
static void last_words(const struct trial *trial, char *words, size_t size)
{
    char line[256];
    bool ours = false;
    FILE *file = fopen(trial->printed, "re");
    words[0] = '\0';
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        ours = lh_starts_with(line, "loophound: ") || (ours && lh_starts_with(line, "  "));
        if (line[0] != '\0' && !ours)
            snprintf(words, size, "%.*s", (int)size - 1, line);
    }
    if (file != NULL)
        (void)fclose(file);
}

static void say_ended(const struct trial *trial, bool saw_loop, struct lh_findings *findings)
{
    char words[160];
    int status =
        WIFSIGNALED(trial->status) ? 128 + WTERMSIG(trial->status) : WEXITSTATUS(trial->status);
    last_words(trial, words, sizeof(words));
    lh_find(findings, status == 0 && saw_loop ? LH_OK : LH_WARN,
            "trial: it ended by itself within 2 s, %swith status %d%s%s",
            saw_loop ? "" : "before a loop was seen, ", status,
            words[0] != '\0' ? "; it said last: " : "", words);
}

static void say_no_loop(struct lh_findings *findings)
{
    lh_find(findings, LH_WARN, "trial: no loop thread was seen in 2 s");
    lh_find_todo(findings, "if it has one: loophound run --loop main, or --loop and the names of "
                           "its threads");
}

static void say_loops(const struct lh_trial_seen *seen, struct lh_findings *findings)
{
    lh_find(findings, LH_OK,
            "trial: loop threads in 2 s: %" PRIu32 " (%s, by %s); from " THRESHOLD
            " on, blocks: %" PRIu32 ", stalls: %" PRIu32,
            seen->loops, seen->thread, seen->how, seen->blocks, seen->stalls);
    if (seen->python_lines > 0)
        lh_find(findings, LH_OK, "trial: Python lines were seen, as %s:%d %s", seen->file,
                seen->line, seen->function);
}

static int run_trial(struct trial *trial, char **command, struct lh_findings *findings)
{
    struct lh_trial_seen seen;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    trial->pid = fork();
    if (trial->pid < 0)
        return -errno;
    if (trial->pid == 0)
        execute(trial, command);
    setpgid(trial->pid, trial->pid); /* whoever is first */
    trial->ended = wait_for(trial, TRIAL_MS);
    if (!trial->ended)
        end(trial);
    else
        end_orphans();
    lh_trial_read(trial->reports, &seen);
    if (trial->ended)
        say_ended(trial, seen.loops > 0, findings);
    else if (seen.loops == 0)
        say_no_loop(findings);
    if (seen.loops > 0)
        say_loops(&seen, findings);
    return 0;
}

/* Ctrl-C and the like: the trial ends, its files are removed, and then they have their way. */
static void hold_signals(struct trial *trial)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGQUIT);
    sigprocmask(SIG_BLOCK, &held, &trial->before);
    trial->signal_fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

int lh_doctor_trial(const struct lh_subject *subject, struct lh_findings *findings)
{
    struct trial trial = {.pid = 0};
    struct lh_private_dir directory;
    int error = lh_private_dir_make(&directory);
    if (error != 0)
        return error;
    findings->check = "trial";
    snprintf(trial.reports, sizeof(trial.reports), "%s/hits.jsonl", directory.path);
    snprintf(trial.printed, sizeof(trial.printed), "%s/printed", directory.path);
    hold_signals(&trial);
    error = run_trial(&trial, subject->command, findings);
    unlink(trial.reports);
    unlink(trial.printed);
    lh_private_dir_remove(&directory);
    if (trial.signal_fd >= 0)
        close(trial.signal_fd);
    sigprocmask(SIG_SETMASK, &trial.before, NULL);
    return error;
}
