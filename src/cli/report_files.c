/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the file that a module of a report was. See report.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/report.h"
#include "collect/stack/elf_file.h"
#include "common/text.h"

#define DEBUG_ROOT "/usr/lib/debug"

struct module {
    struct module *next;
    char *path;
    char *build_id;
    struct lh_elf *elf; /* NULL: not on this machine */
};

struct lh_symbol_files {
    const char *const *directories;
    struct module *modules;
};

struct lh_symbol_files *lh_symbol_files_new(const char *const *directories)
{
    struct lh_symbol_files *files = calloc(1, sizeof(*files));
    if (files != NULL)
        files->directories = directories;
    return files;
}

static void free_module(struct module *module)
{
    lh_elf_release(module->elf);
    free(module->path);
    free(module->build_id);
    free(module);
}

void lh_symbol_files_free(struct lh_symbol_files *files)
{
    while (files != NULL && files->modules != NULL) {
        struct module *module = files->modules;
        files->modules = module->next;
        free_module(module);
    }
    free(files);
}

/* The file, if it is of this build. */
static struct lh_elf *elf_of_build(int fd, const char *path, const char *build_id)
{
    if (fd < 0)
        return NULL;
    struct lh_elf *elf = lh_elf_open(fd, path);
    close(fd);
    const char *own = elf != NULL ? lh_elf_build_id(elf) : NULL;
    if (own != NULL && strcmp(own, build_id) == 0)
        return elf;
    lh_elf_release(elf);
    return NULL;
}

/* Of a directory that the reader has named. */
static struct lh_elf *open_build(const char *path, const char *build_id)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL; /* opening a device may do something */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return elf_of_build(fd, path, build_id);
}

/* What others could have put there, to be taken apart with the reader's rights, is not opened. */
static bool is_trusted(const struct stat *file)
{
    return S_ISREG(file->st_mode) && (file->st_uid == 0 || file->st_uid == geteuid()) &&
           (file->st_mode & S_IWOTH) == 0;
}

/* Of a name that stands in what is read, which anybody may have written. */
static struct lh_elf *open_named(const char *path, const char *build_id)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !is_trusted(&status))
        return NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 || (fstat(fd, &status) == 0 && is_trusted(&status)))
        return elf_of_build(fd, path, build_id);
    close(fd);
    return NULL;
}

/* A debug file has more to say than the stripped one, so it comes first. */
static struct lh_elf *open_in(const char *directory, const struct module *module)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", directory, module->build_id,
             module->build_id + 2);
    struct lh_elf *elf = open_build(path, module->build_id);
    if (elf != NULL)
        return elf;
    snprintf(path, sizeof(path), "%s/%s", directory, lh_base_name(module->path));
    return open_build(path, module->build_id);
}

static struct lh_elf *open_module(const struct lh_symbol_files *files, const struct module *module)
{
    struct lh_elf *elf = NULL;
    for (size_t i = 0; elf == NULL && files->directories[i] != NULL; i++)
        elf = open_in(files->directories[i], module);
    if (elf == NULL && module->path[0] == '/')
        elf = open_named(module->path, module->build_id);
    return elf != NULL ? elf : open_in(DEBUG_ROOT, module);
}

static bool is_build_id(const char *text)
{
    size_t length = strspn(text, "0123456789abcdef");
    return length > 2 && text[length] == '\0';
}

static struct module *new_module(struct lh_symbol_files *files, const char *path,
                                 const char *build_id)
{
    struct module *module = calloc(1, sizeof(*module));
    if (module == NULL)
        return NULL;
    module->path = strdup(path);
    module->build_id = strdup(build_id);
    if (module->path == NULL || module->build_id == NULL) {
        free_module(module);
        return NULL;
    }
    if (is_build_id(build_id))
        module->elf = open_module(files, module);
    module->next = files->modules;
    files->modules = module;
    return module;
}

uint32_t lh_symbol_files_find(struct lh_symbol_files *files, const char *path, const char *build_id,
                              uint64_t vaddr, struct lh_symbol *found)
{
    struct module *module = files->modules;
    while (module != NULL &&
           (strcmp(module->path, path) != 0 || strcmp(module->build_id, build_id) != 0))
        module = module->next;
    if (module == NULL)
        module = new_module(files, path, build_id);
    if (module == NULL || module->elf == NULL)
        return 0;
    uint32_t count = lh_elf_symbols(module->elf, vaddr, found, NULL);
    return found[count - 1].function != NULL ? count : 0;
}
