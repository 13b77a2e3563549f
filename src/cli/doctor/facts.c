/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a program, as data. See facts.h. */
#include "cli/doctor/facts.h"

#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/text.h"

void lh_program_add_library(struct lh_program *program, const char *path)
{
    for (uint32_t i = 0; i < program->library_count; i++)
        if (strcmp(program->libraries[i], path) == 0)
            return;
    char *copy = program->library_count < LH_LIBRARIES_MAX ? strdup(path) : NULL;
    if (copy != NULL)
        program->libraries[program->library_count++] = copy;
}

const char *lh_program_library(const struct lh_program *program, const char *globs)
{
    for (uint32_t i = 0; i < program->library_count; i++)
        if (lh_glob_list_match(globs, lh_base_name(program->libraries[i])))
            return program->libraries[i];
    return NULL;
}

void lh_program_free(struct lh_program *program)
{
    while (program->library_count > 0)
        free(program->libraries[--program->library_count]);
    while (program->run_path_count > 0)
        free(program->run_paths[--program->run_path_count]);
}
