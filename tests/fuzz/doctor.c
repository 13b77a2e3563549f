/* SPDX-License-Identifier: Apache-2.0 */
/* A program that loophound doctor is asked about: an ELF file that may be corrupt, in memory, and
 * the same bytes as a shell script. */
#include <sys/mman.h>
#include <unistd.h>

#include "cli/doctor/elf_facts.h"
#include "cli/doctor/shell_script.h"
#include "fuzz.h"

static void look_at_program(int fd)
{
    struct lh_program program = {.readable = true};
    lh_elf_facts(&program, fd);
    MUST(program.is_elf || (program.library_count == 0 && !program.has_symbols));
    MUST(program.library_count <= LH_LIBRARIES_MAX);
    MUST(memchr(program.build_id, '\0', sizeof(program.build_id)) != NULL);
    for (uint32_t i = 0; i < program.library_count; i++)
        MUST(program.libraries[i] != NULL);
    lh_program_free(&program);
}

static void look_at_script(int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct lh_shell_notes notes = {.count = 0};
    char *command = lh_shell_script_read(&notes, path);
    MUST(command == NULL || strchr(command, '\n') == NULL);
    MUST(notes.count <= LH_SHELL_LINES);
    for (uint32_t i = 0; i < notes.count; i++)
        MUST(notes.lines[i].does != NULL && notes.lines[i].number > 0);
    free(command);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("fuzzed", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    look_at_program(fd);
    look_at_script(fd);
    close(fd);
    return 0;
}
