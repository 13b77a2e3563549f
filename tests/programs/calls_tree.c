/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of directories, files by their handles, mounts: see scenario.h and disk_tree.h. */
#include <fts.h>
#include <ftw.h>
#include <sys/mount.h>

#include "disk_tree.h"

/* Before glibc 2.3.3. */
typedef int visit_nftw(const char *path, const struct stat *status, int type, struct FTW *place);
typedef int visit_nftw64(const char *path, const struct stat64 *status, int type,
                         struct FTW *place);
#ifdef HAS_OLDER_LIBC
extern int nftw_2_2_5(const char *path, visit_nftw *visit, int descriptors, int flags);
extern int nftw64_2_2_5(const char *path, visit_nftw64 *visit, int descriptors, int flags);
__asm__(".symver nftw_2_2_5, nftw@GLIBC_2.2.5");
__asm__(".symver nftw64_2_2_5, nftw64@GLIBC_2.2.5");
#endif

enum { HANDLE_SIZE = 128, DESCRIPTORS = 4 };

static char *roots[2] = {directory};
static FTS *tree;
static FTS64 *tree64;
static off_t base;
static off64_t base64;
static int mount_number;
static union {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + HANDLE_SIZE];
} by;

static int visit(const char *path, const struct stat *status, int type)
{
    return path && status && type >= 0 ? 0 : 1;
}

static int visit64(const char *path, const struct stat64 *status, int type)
{
    return path && status && type >= 0 ? 0 : 1;
}

static int visit_place(const char *path, const struct stat *status, int type, struct FTW *place)
{
    return place ? visit(path, status, type) : 1;
}

static int visit_place64(const char *path, const struct stat64 *status, int type, struct FTW *place)
{
    return place ? visit64(path, status, type) : 1;
}

static void make_handle(void)
{
    make_tree();
    by.handle.handle_bytes = HANDLE_SIZE;
}

static void name_handle_in_memory(void)
{
    name_memory();
    by.handle.handle_bytes = HANDLE_SIZE;
}

static void name_memory_tree(void)
{
    name_memory();
    strcpy(directory, "/proc/self/fdinfo");
}

/* The first entry is the root itself: what comes next is read from a disk. */
static void begin_walk(void)
{
    tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    tree64 = fts64_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    CHECK(tree && tree64 && fts_read(tree) && fts64_read(tree64));
}

static void make_walk(void)
{
    make_tree();
    begin_walk();
}

static void make_memory_walk(void)
{
    name_memory_tree();
    begin_walk();
}

CALL(ftw, ftw(directory, visit, DESCRIPTORS))
CALL(ftw64, ftw64(directory, visit64, DESCRIPTORS))
CALL(nftw, nftw(directory, visit_place, DESCRIPTORS, FTW_PHYS))
CALL(nftw64, nftw64(directory, visit_place64, DESCRIPTORS, FTW_PHYS))
#ifdef HAS_OLDER_LIBC
CALL(nftw_2_2_5, nftw_2_2_5(directory, visit_place, DESCRIPTORS, FTW_PHYS))
CALL(nftw64_2_2_5, nftw64_2_2_5(directory, visit_place64, DESCRIPTORS, FTW_PHYS))
#endif
CALL(fts_open, fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) ? 0 : -1)
CALL(fts64_open, fts64_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) ? 0 : -1)
CALL(fts_read, fts_read(tree) ? 0 : -1)
CALL(fts64_read, fts64_read(tree64) ? 0 : -1)
CALL(fts_children, fts_children(tree, 0) ? 1 : 0)
CALL(fts64_children, fts64_children(tree64, 0) ? 1 : 0)
CALL(getdirentries, getdirentries(fd, text, sizeof text, &base))
CALL(getdirentries64, getdirentries64(fd, text, sizeof text, &base64))
CALL(name_to_handle_at,
     name_to_handle_at(AT_FDCWD, file, &by.handle, &mount_number, AT_SYMLINK_FOLLOW))
CALL(open_by_handle_at, open_by_handle_at(fd, &by.handle, O_RDONLY))
CALL(mount, mount("none", absent, "tmpfs", 0, NULL))
CALL(umount, umount(absent))
CALL(umount2, umount2(absent, MNT_DETACH))

#define TREE_ROW(symbol)                                                                           \
    {                                                                                              \
#symbol, make_tree, call_##symbol, NULL, name_memory_tree, call_##symbol, SYS_openat       \
    }
#define WALK_ROW(symbol)                                                                           \
    {                                                                                              \
#symbol, make_walk, call_##symbol, NULL, make_memory_walk, call_##symbol, SYS_openat       \
    }

static const struct scenario rows[] = {
    TREE_ROW(ftw),
    TREE_ROW(ftw64),
    TREE_ROW(nftw),
    TREE_ROW(nftw64),
#ifdef HAS_OLDER_LIBC
    TREE_ROW(nftw_2_2_5),
    TREE_ROW(nftw64_2_2_5),
#endif
    {"fts_open", make_tree, call_fts_open, NULL, name_memory_tree, call_fts_open, SYS_newfstatat},
    {"fts64_open", make_tree, call_fts64_open, NULL, name_memory_tree, call_fts64_open,
     SYS_newfstatat},
    WALK_ROW(fts_read),
    WALK_ROW(fts64_read),
    WALK_ROW(fts_children),
    WALK_ROW(fts64_children),
    ROW(getdirentries, SYS_getdents64),
    ROW(getdirentries64, SYS_getdents64),
    {"name_to_handle_at", make_handle, call_name_to_handle_at, NULL, name_handle_in_memory,
     call_name_to_handle_at, SYS_name_to_handle_at},
    {"open_by_handle_at", make_handle, call_open_by_handle_at, NULL, name_handle_in_memory,
     call_open_by_handle_at, SYS_open_by_handle_at},
    {"mount", make_tree, call_mount, NULL, NULL, NULL, SYS_mount},
    {"umount", make_tree, call_umount, NULL, NULL, NULL, SYS_umount2},
    {"umount2", make_tree, call_umount2, NULL, NULL, NULL, SYS_umount2},
};

SCENARIO_MAIN(rows)
