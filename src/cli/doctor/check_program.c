/* SPDX-License-Identifier: Apache-2.0 */
/* Can the library get into the program, and does anything else in it not bear the library? */
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/shell_script.h"
#include "common/processor.h"
#include "common/text.h"

/* What to type about a kind of program. */
static const char *const todos[LH_COMMAND_KINDS] = {
    [LH_COMMAND_STATIC] = "build it without -static; a dynamic program that it starts is watched",
    [LH_COMMAND_OTHER_CPU] = ("build it for " LH_PROCESSOR_NAME),
    [LH_COMMAND_OTHER_LIBC] = "run a build of it for glibc (a -gnu target, a Debian image)",
    [LH_COMMAND_PRIVILEGED] = "start it as the user whose rights it takes, or run a copy of it",
    [LH_COMMAND_CAPABILITIES] = "start it as root, or run a copy of it, which has none",
    [LH_COMMAND_GO] = "for Go itself: go tool trace, or GODEBUG=schedtrace=1000",
};

/* "/usr/bin/uvicorn, run by /usr/bin/python3" */
static void name_of(const struct lh_subject *subject, char *name, size_t size)
{
    const char *program = subject->program.program;
    if (program[0] == '\0' && subject->step_count > 0)
        program = subject->steps[subject->step_count - 1].path;
    if (subject->script[0] != '\0' && strcmp(subject->script, program) != 0)
        snprintf(name, size, "%s, run by %s", subject->script, program);
    else if (subject->pid != 0)
        snprintf(name, size, "process %d, %s", (int)subject->pid, program);
    else
        snprintf(name, size, "%s", program);
}

static void say_unreadable(const char *name, struct lh_findings *findings)
{
    lh_find(findings, LH_WARN,
            "%s may be executed and not read: what it is cannot be told, and a call is reported "
            "only when it ends",
            name);
    lh_find_todo(findings, "chmod +r, or run a copy of it");
}

void lh_check_program(const struct lh_subject *subject, struct lh_findings *findings)
{
    char name[2 * PATH_MAX + 32];
    enum lh_command_kind kind = subject->program.kind;
    if (subject->missing != NULL || subject->is_elsewhere)
        return;
    name_of(subject, name, sizeof(name));
    const char *reason = lh_command_reason(kind);
    if (kind == LH_COMMAND_GO) {
        lh_find(findings, LH_MISS, "%s %s", name, reason);
        lh_find_todo(findings, "%s", todos[kind]);
    } else if (reason != NULL) {
        lh_find_blind(findings, "%s %s", name, reason);
        lh_find_todo(findings, "%s", todos[kind]);
    } else if (!subject->facts.readable && subject->pid != 0) {
        return; /* the check of what it carries says so */
    } else if (!subject->facts.readable) {
        say_unreadable(name, findings);
    } else if (!subject->facts.is_elf) {
        lh_find(findings, LH_WARN,
                "%s is neither an ELF program nor begins with #!: a shell runs it, or nothing does",
                name);
        lh_find_todo(findings, "write #!/bin/sh, or what it is for, into its first line");
    } else {
        lh_find(findings, LH_OK, "%s: dynamic, " LH_PROCESSOR_NAME ", glibc %s%s", name,
                gnu_get_libc_version(),
                lh_is_shell(subject->program.program) ? "; what this shell starts is watched, too"
                                                      : "");
    }
}

static void check_sanitizers(const struct lh_subject *subject, struct lh_findings *findings)
{
    const struct lh_program *facts = &subject->facts;
    const char *options = lh_subject_variable(subject, "ASAN_OPTIONS");
    if (facts->has_tsan) {
        lh_find_blind(findings, "ThreadSanitizer does not bear the library's watchdog thread: "
                                "nothing is watched");
        lh_find_todo(findings, "build it without -fsanitize=thread");
    }
    if (facts->has_asan && options != NULL && strstr(options, "verify_asan_link_order=1") != NULL) {
        lh_find_blind(findings, "AddressSanitizer refuses to start behind the library: "
                                "ASAN_OPTIONS=verify_asan_link_order=1 asks it to");
        lh_find_todo(findings, "ASAN_OPTIONS=verify_asan_link_order=0");
    } else if (facts->has_asan) {
        lh_find(findings, LH_WARN,
                "AddressSanitizer is in it: loophound run tells it to start "
                "behind the library, a bare LD_PRELOAD does not");
        lh_find_todo(findings, "with LD_PRELOAD: ASAN_OPTIONS=verify_asan_link_order=0");
    }
}

/* One item of LD_PRELOAD. */
static void check_preload(const char *item, struct lh_findings *findings)
{
    const char *name = lh_base_name(item);
    if (strcmp(name, "libloophound.so") == 0)
        return;
    if (strncmp(name, "vgpreload_", strlen("vgpreload_")) == 0) {
        lh_find_blind(findings, "LD_PRELOAD has Valgrind's library: nothing is watched");
        lh_find_todo(findings, "unset LD_PRELOAD");
    } else if (item[0] == '/' && access(item, R_OK) != 0) {
        lh_find(findings, LH_WARN, "LD_PRELOAD names %s, which cannot be read", item);
        lh_find_todo(findings, "take it out of LD_PRELOAD: ld.so complains in each program");
    } else {
        lh_find(findings, LH_OK, "LD_PRELOAD has %s, too: it comes behind ours", item);
    }
}

void lh_check_tools(const struct lh_subject *subject, struct lh_findings *findings)
{
    char list[PATH_MAX];
    char *rest;
    const char *preload = lh_subject_variable(subject, "LD_PRELOAD");
    check_sanitizers(subject, findings);
    if (preload == NULL)
        return;
    snprintf(list, sizeof(list), "%s", preload);
    for (char *item = strtok_r(list, ": ", &rest); item != NULL; item = strtok_r(NULL, ": ", &rest))
        check_preload(item, findings);
}
