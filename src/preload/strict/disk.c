/* SPDX-License-Identifier: Apache-2.0 */
/* Is it on a disk? See disk.h. */
#include "preload/strict/disk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "preload/strict/noise.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

/* File systems that live in memory: looking at them waits for no disk. */
static const long memory_file_systems[] = {
    PROC_SUPER_MAGIC,   SYSFS_MAGIC,         TMPFS_MAGIC,   RAMFS_MAGIC,   DEVPTS_SUPER_MAGIC,
    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC,
    HUGETLBFS_MAGIC,    ANON_INODE_FS_MAGIC, BPF_FS_MAGIC,  NSFS_MAGIC,    BINFMTFS_MAGIC,
    PSTOREFS_MAGIC,     EFIVARFS_MAGIC,
};

/* The program's stack may be small: of a longer path the beginning decides. */
enum { PATH_SIZE = 1024 };

static bool is_disk(const struct statfs *system)
{
    for (size_t i = 0; i < sizeof(memory_file_systems) / sizeof(memory_file_systems[0]); i++)
        if (system->f_type == memory_file_systems[i])
            return !lh_noise_quiets(LH_NOISE_MEMORY_PATHS);
    return true;
}

mode_t lh_fd_type(int fd)
{
    struct stat status = {0};
    return lh_syscall2(SYS_fstat, fd, (long)&status) == 0 ? status.st_mode & S_IFMT : 0;
}

bool lh_file_is_on_disk(int fd)
{
    struct statfs system;
    return lh_syscall2(SYS_fstatfs, fd, (long)&system) == 0 && is_disk(&system);
}

bool lh_fd_is_on_disk(int fd)
{
    mode_t type = lh_fd_type(fd);
    return (type == S_IFREG || type == S_IFDIR) && lh_file_is_on_disk(fd);
}

/* Makes a path the one of its directory; false when there is none above it. */
static bool cut_last_name(char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    if (end == 0) {
        bool was_name = strcmp(path, ".") != 0;
        memcpy(path, ".", sizeof("."));
        return was_name;
    }
    if (path[end] == '\0')
        return false; /* the root */
    path[end] = '\0';
    return true;
}

bool lh_path_is_on_disk(int dirfd, const char *path, bool follow)
{
    char copy[PATH_SIZE];
    struct statfs system = {0};
    size_t length = lh_memory_copy_near(copy, (uintptr_t)path, sizeof(copy) - 1);
    copy[length] = '\0';
    if (copy[0] == '\0')
        return false;
    if (copy[0] != '/' && dirfd != AT_FDCWD)
        return lh_fd_is_on_disk(dirfd);
    if (!follow || strlen(copy) == sizeof(copy) - 1)
        cut_last_name(copy);
    while (lh_syscall2(SYS_statfs, (long)copy, (long)&system) != 0)
        if (!cut_last_name(copy))
            return false;
    return is_disk(&system);
}
