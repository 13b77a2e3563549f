/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the library can get into a program, told from its file. */
#ifndef LH_CLI_COMMAND_KIND_H
#define LH_CLI_COMMAND_KIND_H

#include <limits.h>
#include <stdbool.h>

enum lh_command_kind {
    LH_COMMAND_WATCHABLE,    /* or not known to be anything else */
    LH_COMMAND_STATIC,       /* static or static-PIE: no dynamic linker, no LD_PRELOAD */
    LH_COMMAND_OTHER_CPU,    /* not the one we are built for, 32-bit programs too */
    LH_COMMAND_OTHER_LIBC,   /* its dynamic linker is not glibc's */
    LH_COMMAND_PRIVILEGED,   /* set-user-ID or set-group-ID to somebody else */
    LH_COMMAND_CAPABILITIES, /* gains file capabilities: capabilities(7) */
    LH_COMMAND_GO,           /* dynamic, so the library is loaded, but most calls pass by libc */
    LH_COMMAND_KINDS
};

struct lh_command {
    enum lh_command_kind kind;
    char program[PATH_MAX]; /* of a script its interpreter; "" where it was not found */
    char linker[PATH_MAX];  /* its dynamic linker; "" where there is none */
};

/* Why it cannot be watched, or not well, as part of a sentence; NULL: there is no reason. */
const char *lh_command_reason(enum lh_command_kind kind);

/* The file that execvp(3) of `name` executes. False: there is no such program. */
bool lh_command_search(const char *name, char path[PATH_MAX]);

/* The first line of a script, "#! /path/interpreter argument", taken apart. */
struct lh_interpreter {
    char line[256]; /* BINPRM_BUF_SIZE of the kernel */
    char *path;     /* in it, as the next */
    char *argument; /* all of the rest, one word to the kernel; "": none */
};

/* False: the file behind `fd` is no script. */
bool lh_command_interpreter(int fd, struct lh_interpreter *interpreter);

/* What execvp(3) of `name` would run. Reads files, nothing is started. */
void lh_command_find(const char *name, struct lh_command *command);

#endif
