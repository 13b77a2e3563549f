/* SPDX-License-Identifier: Apache-2.0 */
/* What a shell script does to LD_PRELOAD, and which program it goes on with, as far as that stands
 * in its lines. Reads the file, runs nothing. */
#ifndef LH_CLI_DOCTOR_SHELL_SCRIPT_H
#define LH_CLI_DOCTOR_SHELL_SCRIPT_H

#include <stdbool.h>

struct lh_subject;

bool lh_is_shell(const char *path);

/* Notes lines that matter in the subject. Returns the command of its last `exec`, malloc(3)ed, if
 * no word of that has to be expanded; NULL: there is none. */
char *lh_shell_script_read(struct lh_subject *subject, const char *path);

#endif
