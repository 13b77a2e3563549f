/* SPDX-License-Identifier: Apache-2.0 */
/* What a shell script does to LD_PRELOAD, and which program it goes on with, as far as that stands
 * in its lines. Reads the file, runs nothing. */
#ifndef LH_CLI_DOCTOR_SHELL_SCRIPT_H
#define LH_CLI_DOCTOR_SHELL_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#define LH_SHELL_LINES 4u

/* A line of a shell script that does something to LD_PRELOAD. */
struct lh_shell_line {
    uint32_t number;
    const char *script;
    char text[64];
    const char *does;
};

/* The first few of them. */
struct lh_shell_notes {
    uint32_t count;
    struct lh_shell_line lines[LH_SHELL_LINES];
};

bool lh_is_shell(const char *path);

/* The one command of `sh -c TEXT`, malloc(3)ed, where nothing in it has to be expanded; NULL: there
 * are more, or `flags` is not -c. */
char *lh_shell_command(const char *flags, const char *text);

/* Adds its lines that matter to the notes. Returns the command of its last `exec`, malloc(3)ed, if
 * no word of that has to be expanded; NULL: there is none. */
char *lh_shell_script_read(struct lh_shell_notes *notes, const char *path);

#endif
