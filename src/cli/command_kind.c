/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of program a command is. Runs before it is started, on the command's main thread.
 *
 * The file may be anything: all of it is read with bounds. What is in doubt is watchable; then the
 * end of the run tells. Formats: elf(5), execve(2) (scripts), ld.so(8) (secure-execution mode). */
#include "cli/command_kind.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/processor.h"
#include "common/text.h"

#define SEGMENTS_MAX  64u
#define SCRIPTS_MAX   5     /* an interpreter may be a script: execve(2) */
#define NOTES_MAX     4096u /* bytes that are looked at */
#define GO_BUILD_ID   4     /* cmd/link of Go: a note of the owner "Go" */
#define DEFAULT_PATH  "/bin:/usr/bin"
#define CAPABILITIES  "security.capability"
#define ALIGNED(size) (((size_t)(size) + 3) & ~(size_t)3)

static const char *const reasons[LH_COMMAND_KINDS] = {
    [LH_COMMAND_STATIC] = "is statically linked: the library cannot get into it, only into dynamic "
                          "programs that it starts",
    [LH_COMMAND_OTHER_CPU] = "is not an " LH_PROCESSOR_NAME " program: it runs without the library",
    [LH_COMMAND_OTHER_LIBC] = "is linked with another libc than glibc: it is not watched, only "
                              "programs of glibc that it starts",
    [LH_COMMAND_PRIVILEGED] = "is setuid or setgid: the dynamic linker ignores LD_PRELOAD there",
    [LH_COMMAND_CAPABILITIES] = "gains file capabilities: the dynamic linker ignores LD_PRELOAD "
                                "there",
    [LH_COMMAND_GO] = "is a Go program: what it calls does not go through libc; only its C code "
                      "(cgo) and the programs that it starts are watched",
};

const char *lh_command_reason(enum lh_command_kind kind)
{
    return reasons[kind];
}

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* execvp(3): the first directory of PATH that has such a program; "" is the current one. */
static bool search_path(const char *name, char path[PATH_MAX])
{
    const char *at = getenv("PATH");
    if (at == NULL)
        at = DEFAULT_PATH;
    for (;;) {
        size_t length = strcspn(at, ":");
        int written =
            snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at, length > 0 ? "/" : "", name);
        if (written > 0 && written < PATH_MAX && is_program(path))
            return true;
        if (at[length] == '\0')
            return false;
        at += length + 1;
    }
}

bool lh_command_search(const char *name, char path[PATH_MAX])
{
    if (strchr(name, '/') == NULL)
        return search_path(name, path);
    int written = snprintf(path, PATH_MAX, "%s", name);
    return written > 0 && written < PATH_MAX && is_program(path);
}

bool lh_command_interpreter(int fd, struct lh_interpreter *interpreter)
{
    char *line = interpreter->line;
    ssize_t length = pread(fd, line, sizeof(interpreter->line) - 1, 0);
    if (length < 3 || line[0] != '#' || line[1] != '!')
        return false;
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    interpreter->path = line + 2 + strspn(line + 2, " \t");
    size_t end = strcspn(interpreter->path, " \t");
    interpreter->argument = interpreter->path + end;
    if (*interpreter->argument != '\0')
        *interpreter->argument++ = '\0';
    interpreter->argument += strspn(interpreter->argument, " \t");
    return end > 0;
}

/* Opens what is executed in the end. -1: it cannot be read, or there is no such thing. */
static int open_program(const char *name, char path[PATH_MAX])
{
    struct lh_interpreter interpreter;
    if (!lh_command_search(name, path))
        path[0] = '\0';
    for (int scripts = 0; path[0] != '\0' && scripts <= SCRIPTS_MAX; scripts++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || !lh_command_interpreter(fd, &interpreter))
            return fd;
        snprintf(path, PATH_MAX, "%s", interpreter.path);
        close(fd);
    }
    return -1;
}

static bool has_go_note(int fd, const Elf64_Phdr *segment)
{
    uint8_t notes[NOTES_MAX];
    size_t size = segment->p_filesz < sizeof(notes) ? segment->p_filesz : sizeof(notes);
    ssize_t length = pread(fd, notes, size, (off_t)segment->p_offset);
    for (size_t at = 0; length > 0 && at + sizeof(Elf64_Nhdr) + 4 <= (size_t)length;) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof(note));
        if (note.n_type == GO_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes + at + sizeof(note), "Go\0", 4) == 0)
            return true;
        at += sizeof(note) + ALIGNED(note.n_namesz) + ALIGNED(note.n_descsz);
    }
    return false;
}

static void read_linker(int fd, const Elf64_Phdr *segment, char linker[PATH_MAX])
{
    size_t size = segment->p_filesz < PATH_MAX ? segment->p_filesz : PATH_MAX;
    ssize_t length = pread(fd, linker, size, (off_t)segment->p_offset);
    linker[length > 0 ? length - 1 : 0] = '\0'; /* it ends in a NUL of its own */
}

static enum lh_command_kind kind_of_segments(int fd, const Elf64_Phdr *segments, size_t count,
                                             struct lh_command *command)
{
    bool is_go = false;
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type == PT_INTERP)
            read_linker(fd, &segments[i], command->linker);
        else if (segments[i].p_type == PT_NOTE)
            is_go = is_go || has_go_note(fd, &segments[i]);
    }
    if (command->linker[0] == '\0') /* the linker itself, run as a command, has none either */
        return lh_starts_with(lh_base_name(command->program), "ld") ? LH_COMMAND_WATCHABLE
                                                                    : LH_COMMAND_STATIC;
    if (strcmp(lh_base_name(command->linker), LH_DYNAMIC_LINKER) != 0)
        return LH_COMMAND_OTHER_LIBC;
    return is_go ? LH_COMMAND_GO : LH_COMMAND_WATCHABLE;
}

static enum lh_command_kind kind_of_file(int fd, struct lh_command *command)
{
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS_MAX];
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return LH_COMMAND_WATCHABLE;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != LH_ELF_MACHINE)
        return LH_COMMAND_OTHER_CPU;
    size_t count = header.e_phnum < SEGMENTS_MAX ? header.e_phnum : SEGMENTS_MAX;
    if (header.e_phentsize != sizeof(segments[0]) ||
        pread(fd, segments, count * sizeof(segments[0]), (off_t)header.e_phoff) !=
            (ssize_t)(count * sizeof(segments[0])))
        return LH_COMMAND_WATCHABLE;
    return kind_of_segments(fd, segments, count, command);
}

/* Will the kernel set AT_SECURE for it? Then ld.so ignores a library with a path in its name. */
static enum lh_command_kind kind_of_rights(const char *path)
{
    struct stat status;
    struct statvfs system;
    if (stat(path, &status) != 0 || statvfs(path, &system) != 0 ||
        (system.f_flag & ST_NOSUID) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return LH_COMMAND_WATCHABLE;
    bool other_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid();
    bool other_group =
        (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != getegid();
    if (other_user || other_group)
        return LH_COMMAND_PRIVILEGED;
    if (getuid() != 0 && getxattr(path, CAPABILITIES, NULL, 0) > 0)
        return LH_COMMAND_CAPABILITIES;
    return LH_COMMAND_WATCHABLE;
}

void lh_command_find(const char *name, struct lh_command *command)
{
    command->kind = LH_COMMAND_WATCHABLE;
    command->linker[0] = '\0';
    int fd = open_program(name, command->program);
    if (fd >= 0) {
        command->kind = kind_of_file(fd, command);
        close(fd);
    }
    if (command->kind == LH_COMMAND_WATCHABLE || command->kind == LH_COMMAND_GO) {
        enum lh_command_kind rights = kind_of_rights(command->program);
        command->kind = rights != LH_COMMAND_WATCHABLE ? rights : command->kind;
    }
}
