/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound doctor is asked about: a command, whose way to the program that runs in the end is
 * followed through wrappers and scripts, or a process. Reads files, starts nothing. */
#ifndef LH_CLI_DOCTOR_SUBJECT_H
#define LH_CLI_DOCTOR_SUBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/command_kind.h"
#include "cli/doctor/program.h"
#include "cli/doctor/shell_script.h"
#include "cli/doctor/wrappers.h"

#define LH_STEPS_MAX    12u
#define LH_SUBJECT_KEPT 64u
#define LH_WORDS_MAX    256u

/* One of those that start the next. */
struct lh_step {
    const struct lh_wrapper *wrapper; /* NULL: it is a script, or the program */
    char **words;                     /* its own and all behind it; ends in NULL */
    char **next;                      /* of a wrapper: where its command begins; NULL: not known */
    bool unset_preload;               /* env -i, env -u LD_PRELOAD */
    char path[PATH_MAX];
};

struct lh_subject {
    pid_t pid;      /* 0: a command */
    char **command; /* NULL: a process, or nothing */
    char **words;   /* of the program that runs in the end, its own name first; NULL: not known */
    uint32_t step_count;
    struct lh_step steps[LH_STEPS_MAX];
    const char *missing; /* what of the command is not found; NULL: nothing is */
    int missing_error;   /* why, as a positive errno */
    bool is_elsewhere;   /* a wrapper starts it that is not seen through: nothing of it is known */
    struct lh_shell_notes shell;
    char script[PATH_MAX];     /* the last one; "": none */
    struct lh_command program; /* what runs in the end */
    struct lh_program facts;   /* of its file */
    char *environment;         /* of a process, its strings each with a NUL; NULL: it is our own */
    size_t environment_bytes;
    const char *given[32]; /* NAME=value of env(1) */
    uint32_t given_count;
    void *kept[LH_SUBJECT_KEPT + 1]; /* memory that what is above points into */
    uint32_t kept_count;
};

void lh_subject_of_command(struct lh_subject *subject, char **command);

/* 0, or a negative errno: there is no such process, or it may not be looked at. */
int lh_subject_of_process(struct lh_subject *subject, pid_t pid);

void lh_subject_free(struct lh_subject *subject);

/* What a variable will be there. NULL: it is not set, or that is not known. */
const char *lh_subject_variable(const struct lh_subject *subject, const char *name);

/* Is there such a word behind the program's name, or one with it in it? */
bool lh_subject_has_word(const struct lh_subject *subject, const char *part);

#endif
