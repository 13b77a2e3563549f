/* SPDX-License-Identifier: Apache-2.0 */
/* One ELF file, read with bounds: the part of lh_program that stands in its own bytes. */
#ifndef LH_CLI_DOCTOR_ELF_FACTS_H
#define LH_CLI_DOCTOR_ELF_FACTS_H

#include "cli/doctor/facts.h"

/* Of the program itself. */
void lh_elf_facts(struct lh_program *program, int fd);

/* PY_VERSION_HEX of the interpreter that is in the file; 0: there is none, or it does not say. */
uint32_t lh_elf_python_version(int fd);

#endif
