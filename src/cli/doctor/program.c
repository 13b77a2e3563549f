/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a program from its file. See program.h. */
#include "cli/doctor/program.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/elf_facts.h"
#include "common/options.h"
#include "common/processor.h"
#include "common/text.h"

#define PYTHON_LIBRARIES "libpython3.*"

/* Opened without waiting, whatever it is; -1 unless it is a file. */
static int open_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* $ORIGIN at its begin is the directory of the program: ld.so(8). */
static int open_in(const char *directory, const char *program, const char *name)
{
    char path[2 * PATH_MAX];
    const char *behind = directory;
    int origin = 0;
    if (lh_starts_with(directory, "$ORIGIN") || lh_starts_with(directory, "${ORIGIN}")) {
        behind = directory + (directory[1] == '{' ? strlen("${ORIGIN}") : strlen("$ORIGIN"));
        origin = (int)(lh_base_name(program) - program) - 1;
    }
    int length =
        snprintf(path, sizeof(path), "%.*s%s/%s", origin > 0 ? origin : 0, program, behind, name);
    return length > 0 && (size_t)length < sizeof(path) ? open_file(path) : -1;
}

/* Where the dynamic linker looks for a library first, and where distributions have it. */
static int open_library(const struct lh_program *program, const char *path, const char *name)
{
    static const char *const usual[] = {"/lib/" LH_MULTIARCH,
                                        "/usr/lib/" LH_MULTIARCH,
                                        "/usr/local/lib",
                                        "/lib64",
                                        "/usr/lib64",
                                        "/usr/lib",
                                        "/lib"};
    char real[PATH_MAX];
    int fd = strchr(name, '/') != NULL ? open_file(name) : -1;
    if (realpath(path, real) == NULL)
        return fd;
    for (uint32_t i = 0; fd < 0 && i < program->run_path_count; i++)
        fd = open_in(program->run_paths[i], real, name);
    for (size_t i = 0; fd < 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
        fd = open_in(usual[i], real, name);
    return fd;
}

/* "python3.11", "libpython3.11.so.1.0": 0x030b0000. 0: the name has none. */
static uint32_t version_of_name(const char *path)
{
    const char *name = lh_base_name(path);
    const char *number = strstr(name, "python3.");
    unsigned minor = 0;
    if (number == NULL || sscanf(number, "python3.%3u", &minor) != 1 || minor > UINT8_MAX)
        return 0;
    return 0x03000000 | minor << 16;
}

static void find_python(struct lh_program *program, const char *path)
{
    char real[PATH_MAX];
    const char *library = lh_program_library(program, PYTHON_LIBRARIES);
    if (program->defines_python && program->python_version == 0 && realpath(path, real) != NULL)
        program->python_version = version_of_name(real);
    if (program->defines_python || library == NULL)
        return;
    int fd = open_library(program, path, library);
    if (fd >= 0) {
        program->python_version = lh_elf_versions(fd).python;
        close(fd);
    }
    if (program->python_version == 0)
        program->python_version = version_of_name(library);
}

static void find_v8(struct lh_program *program, const char *path)
{
    const char *library = lh_program_library(program, LH_V8_LIBRARIES);
    int fd =
        program->v8_version == 0 && library != NULL ? open_library(program, path, library) : -1;
    if (fd < 0)
        return;
    program->v8_version = lh_elf_versions(fd).v8;
    close(fd);
}

/* /usr/lib/debug/.build-id/xx/yyyy.debug, as distributions have it. */
static bool has_debug_file(const char *id)
{
    char file[256];
    if (strlen(id) <= 2)
        return false;
    snprintf(file, sizeof(file), "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
    return access(file, R_OK) == 0;
}

void lh_program_read(struct lh_program *program, const char *path)
{
    *program = (struct lh_program){.readable = false};
    int fd = open_file(path);
    if (fd < 0)
        return;
    program->readable = true;
    lh_elf_facts(program, fd);
    if (program->is_elf) {
        program->has_debug_file = has_debug_file(program->build_id);
        program->has_tsan |= lh_program_library(program, "libtsan.so*") != NULL;
        program->has_asan |= lh_program_library(program, "libasan.so*,libclang_rt.asan*") != NULL;
        find_python(program, path);
        find_v8(program, path);
    }
    close(fd);
}
