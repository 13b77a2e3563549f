/* SPDX-License-Identifier: Apache-2.0 */
/* A small tree on a disk, and the same names where no disk is, for the programs calls_*.c that look
 * at paths: see scenario.h. */
#ifndef DISK_TREE_H
#define DISK_TREE_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "processor.h"
#include "scenario.h"

/* A directory on a disk: an empty file, a link to it, an empty directory, and a free name. */
static char root[PATH_MAX];
static char file[PATH_MAX + 8], symbolic[PATH_MAX + 8], directory[PATH_MAX + 8];
static char absent[PATH_MAX + 8];
static int fd;
static DIR *dir;
static void *mapping;
static char text[PATH_MAX];

static void name_all(const char *base)
{
    sprintf(file, "%s/file", base);
    sprintf(symbolic, "%s/link", base);
    sprintf(directory, "%s/dir", base);
    sprintf(absent, "%s/none", base);
}

static void clear_up(void)
{
    unlink(file);
    unlink(symbolic);
    if (unlink(absent) != 0)
        rmdir(absent);
    rmdir(directory);
    rmdir(root);
}

static void make_tree(void)
{
    CHECK(getcwd(text, sizeof text - 32));
    snprintf(root, sizeof root, "%.4000s/loophound-test-XXXXXX", text);
    CHECK(mkdtemp(root));
    name_all(root);
    atexit(clear_up);
    fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && symlink("file", symbolic) == 0 && mkdir(directory, 0700) == 0);
    dir = opendir(root);
    CHECK(dir);
    CHECK(ftruncate(fd, 1) == 0);
    mapping = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(mapping != MAP_FAILED);
}

/* The same names where no disk is. Most calls fail there; none waits. */
static void name_memory(void)
{
    name_all("/proc/self");
    dir = opendir("/proc/self/task");
    CHECK(dir);
    fd = memfd_create("memory", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, 1) == 0);
    mapping = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(mapping != MAP_FAILED);
}

/* The call, its one expression, and the system call that it makes. */
#define CALL(symbol, expression)                                                                   \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        return (expression);                                                                       \
    }

#define ROW(symbol, number)                                                                        \
    {                                                                                              \
#symbol, make_tree, call_##symbol, NULL, name_memory, call_##symbol, number                \
    }

#endif
