/* SPDX-License-Identifier: Apache-2.0 */
/* One ELF file, read with bounds: the part of lh_program that stands in its own bytes. */
#ifndef LH_CLI_DOCTOR_ELF_FACTS_H
#define LH_CLI_DOCTOR_ELF_FACTS_H

#include "cli/doctor/facts.h"

/* Of the program itself. */
void lh_elf_facts(struct lh_program *program, int fd);

/* Of the interpreters that are in a library, as lh_program has them. */
struct lh_versions {
    uint32_t python;
    uint32_t v8;
};
struct lh_versions lh_elf_versions(int fd);

#endif
