/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the files that a watched process has mapped. Runs in the collector.
 *
 * A name in /proc/PID/maps is a hint: the file may be deleted, replaced by an upgrade, or live in
 * a container. Device and inode say whether the file found under it is the one that is mapped. */
#include "collect/stack/module_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 3

static bool is_mapped_file(const struct lh_module *module, const struct stat *status, bool strict)
{
    if (!S_ISREG(status->st_mode) || status->st_ino != module->inode)
        return false;
    if (status->st_dev == module->device)
        return true;
    /* btrfs and overlayfs give stat(2) another device than the map shows. */
    return !strict && !module->deleted;
}

static int open_if_mapped(const struct lh_module *module, const char *path, bool strict)
{
    struct stat status;
    /* Asked before opening: opening a device can have effects. */
    if (stat(path, &status) != 0 || !is_mapped_file(module, &status, strict))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && is_mapped_file(module, &status, strict))
        return fd;
    close(fd);
    return -1;
}

static bool fits(int length)
{
    return length >= 0 && length < PATH_MAX;
}

/* The places where the file may be found. */
static bool name_place(const struct lh_module *module, pid_t pid, int place, char path[PATH_MAX])
{
    if (place == 0)
        return fits(snprintf(path, PATH_MAX, "%s", module->path));
    if (place == 1)
        return fits(snprintf(path, PATH_MAX, "/proc/%d/root%s", pid, module->path));
    return fits(snprintf(path, PATH_MAX, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid,
                         module->start, module->end));
}

/* The kernel's own library in every process, the same in all 64-bit ones: vdso(7). A copy of ours,
 * made once. */
static int vdso_fd = -1;

static void copy_vdso(void)
{
    const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    int fd = image != NULL ? memfd_create("vdso", MFD_CLOEXEC) : -1;
    if (fd < 0)
        return;
    const ElfW(Ehdr) *header = (const void *)image;
    size_t size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
    if (write(fd, image, size) == (ssize_t)size)
        vdso_fd = fd;
    else
        close(fd);
}

static struct lh_elf *open_vdso(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, copy_vdso);
    return vdso_fd >= 0 ? lh_elf_open(vdso_fd, "[vdso]") : NULL;
}

struct lh_elf *lh_module_file_open(const struct lh_module *module, pid_t pid)
{
    if (module->path != NULL && strcmp(module->path, "[vdso]") == 0)
        return open_vdso();
    if (module->path == NULL || module->path[0] != '/' || module->inode == 0)
        return NULL;
    for (int attempt = 0; attempt < 2 * PLACES; attempt++) {
        char path[PATH_MAX];
        if (!name_place(module, pid, attempt % PLACES, path))
            continue;
        int fd = open_if_mapped(module, path, attempt < PLACES);
        if (fd < 0)
            continue;
        bool by_range = attempt % PLACES == PLACES - 1;
        struct lh_elf *elf = lh_elf_open(fd, by_range ? module->path : path);
        close(fd);
        return elf;
    }
    return NULL;
}
