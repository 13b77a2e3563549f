/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands that start another one (wrappers.def), as data. */
#ifndef LH_CLI_DOCTOR_WRAPPERS_H
#define LH_CLI_DOCTOR_WRAPPERS_H

enum lh_wrapper_effect {
    LH_WRAPPER_PASSES,
    LH_WRAPPER_DROPS,
    LH_WRAPPER_ELSEWHERE,
    LH_WRAPPER_PERHAPS,
    LH_WRAPPER_DEAF
};

struct lh_wrapper {
    const char *name; /* globs */
    enum lh_wrapper_effect effect;
    const char *takes;
    int operands;
    const char *text;
    const char *todo;
};

/* NULL: the file of this name is none that is known. */
const struct lh_wrapper *lh_wrapper_find(const char *path);

/* Of its words, the first of which is its name, where the command begins that it starts. NULL:
 * there is none. */
char **lh_wrapper_command(const struct lh_wrapper *wrapper, char **words);

#endif
