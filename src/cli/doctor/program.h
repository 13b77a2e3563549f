/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a program from its file, and from that of its Python. */
#ifndef LH_CLI_DOCTOR_PROGRAM_H
#define LH_CLI_DOCTOR_PROGRAM_H

#include "cli/doctor/facts.h"

/* Reads the file at `path`, and, where it is a Python by a library, that. */
void lh_program_read(struct lh_program *program, const char *path);

#endif
