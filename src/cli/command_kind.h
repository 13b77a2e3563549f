/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the library can get into a program, told from its file. */
#ifndef LH_CLI_COMMAND_KIND_H
#define LH_CLI_COMMAND_KIND_H

#include <limits.h>

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

/* What execvp(3) of `name` would run. Reads files, nothing is started. */
void lh_command_find(const char *name, struct lh_command *command);

#endif
