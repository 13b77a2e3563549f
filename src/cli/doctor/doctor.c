/* SPDX-License-Identifier: Apache-2.0 */
/* loophound doctor: can it be watched, what will be missed, and what to do. Runs on the command's
 * main thread; reads files and /proc, and starts nothing but for --trial. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/doctor/checks.h"

/* What a check is about: checks.def. */
enum about { COMMAND = 1, PROCESS = 2, NOTHING = 4 };

static const struct {
    const char *name;
    unsigned about;
    void (*look)(const struct lh_subject *subject, struct lh_findings *findings);
} checks[] = {
#define CHECK(name, about, doc) {#name, about, lh_check_##name},
#include "cli/doctor/checks.def"
};

struct arguments {
    bool json;
    bool trial;
    pid_t pid;      /* 0: none was given */
    char **command; /* NULL: none */
};

static int fail_usage(const char *what)
{
    fprintf(stderr, "loophound: doctor: %s; see loophound help doctor\n", what);
    return LH_EXIT_USAGE;
}

static int take_pid(struct arguments *arguments, const char *value)
{
    char *end;
    errno = 0;
    long pid = strtol(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || pid < 1 || pid > INT_MAX)
        return fail_usage("--pid expects the number of a process");
    arguments->pid = (pid_t)pid;
    return 0;
}

static int take_flags(struct arguments *arguments, int argc, char **argv)
{
    static const struct option flags[] = {{"pid", required_argument, NULL, 'p'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"trial", no_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int flag;
    int status = 0;
    while (status == 0 && (flag = getopt_long(argc, argv, "+p:h", flags, NULL)) != -1) {
        if (flag == '?')
            return LH_EXIT_USAGE; /* getopt has said it */
        if (flag == 'h') {
            lh_help_print(stdout, lh_subcommand_find("doctor"));
            return -1;
        }
        arguments->json |= flag == 'j';
        arguments->trial |= flag == 't';
        if (flag == 'p')
            status = take_pid(arguments, optarg);
    }
    arguments->command = argv[optind] != NULL ? argv + optind : NULL;
    return status;
}

static int check_together(const struct arguments *arguments)
{
    if (arguments->pid != 0 && arguments->command != NULL)
        return fail_usage("either --pid or a command");
    if (arguments->trial && arguments->command == NULL)
        return fail_usage("--trial needs a command");
    return 0;
}

static void look(const struct lh_subject *subject, unsigned about, struct lh_findings *findings)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        findings->check = checks[i].name;
        if ((checks[i].about & about) != 0)
            checks[i].look(subject, findings);
    }
}

/* As a shell has it for a command that cannot be started; else 98 where nothing will be seen. */
static int status_of(const struct lh_subject *subject, const struct lh_findings *findings)
{
    if (subject->missing != NULL)
        return subject->missing_error == ENOENT ? LH_EXIT_NOT_FOUND : LH_EXIT_NOT_EXEC;
    return lh_findings_blind(findings) ? LH_EXIT_UNSURE : 0;
}

static int examine(const struct arguments *arguments, struct lh_subject *subject)
{
    static struct lh_findings findings;
    unsigned about = arguments->pid != 0 ? PROCESS : arguments->command != NULL ? COMMAND : NOTHING;
    findings.alone = about == NOTHING;
    look(subject, about, &findings);
    int error = 0;
    if (arguments->trial && !lh_findings_blind(&findings))
        error = lh_doctor_trial(subject, &findings);
    if (error != 0) {
        fprintf(stderr, "loophound: doctor: no trial: %s\n", strerror(-error));
        return LH_EXIT_FAILED;
    }
    if (!arguments->json)
        lh_findings_print(&findings, stdout);
    else if (lh_findings_print_json(&findings, arguments->command, (int)arguments->pid, stdout) !=
             0)
        return LH_EXIT_FAILED;
    return status_of(subject, &findings);
}

int lh_cmd_doctor(int argc, char **argv)
{
    static struct lh_subject subject;
    struct arguments arguments = {.pid = 0};
    int status = take_flags(&arguments, argc, argv);
    if (status == 0)
        status = check_together(&arguments);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (arguments.command != NULL)
        lh_subject_of_command(&subject, arguments.command);
    int error = arguments.pid != 0 ? lh_subject_of_process(&subject, arguments.pid) : 0;
    if (error != 0) {
        fprintf(stderr, "loophound: doctor: process %d: %s\n", (int)arguments.pid,
                error == -ENOENT || error == -ESRCH ? "there is none of this number"
                                                    : strerror(-error));
        return LH_EXIT_USAGE;
    }
    status = examine(&arguments, &subject);
    lh_subject_free(&subject);
    return status;
}
