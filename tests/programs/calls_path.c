/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a disk by path, directories, and open files to the disk: see scenario.h. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "disk_tree.h"

/* readdir_r is deprecated, and still called. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* What programs call that are fortified, or were linked before glibc 2.33. */
extern int __xstat(int version, const char *path, struct stat *status);
extern int __xstat64(int version, const char *path, struct stat64 *status);
extern int __lxstat(int version, const char *path, struct stat *status);
extern int __lxstat64(int version, const char *path, struct stat64 *status);
extern int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags);
extern int __fxstatat64(int version, int dirfd, const char *path, struct stat64 *status, int flags);
extern ssize_t __readlink_chk(const char *path, char *buf, size_t len, size_t buflen);
extern ssize_t __readlinkat_chk(int dirfd, const char *path, char *buf, size_t len, size_t buflen);
extern char *__realpath_chk(const char *path, char *resolved, size_t len);
#ifdef HAS_OLDER_LIBC
extern char *realpath_2_2_5(const char *path, char *resolved);
__asm__(".symver realpath_2_2_5, realpath@GLIBC_2.2.5"); /* before glibc 2.3 */
CALL(realpath_2_2_5, realpath_2_2_5(file, text) ? 0 : -1)
#endif

static struct stat status;
static struct stat64 status64;
static struct statx statusx;
static struct statfs fs;
static struct statfs64 fs64;
static struct statvfs vfs;
static struct statvfs64 vfs64;
static struct dirent entry, *entry_result, **entries;
static struct dirent64 entry64, *entry64_result, **entries64;

CALL(stat, stat(file, &status))
CALL(lstat, lstat(file, &status))
CALL(fstatat, fstatat(AT_FDCWD, file, &status, 0))
CALL(__xstat, __xstat(1, file, &status))
CALL(__lxstat, __lxstat(1, file, &status))
CALL(__fxstatat, __fxstatat(1, AT_FDCWD, file, &status, 0))
CALL(stat64, stat64(file, &status64))
CALL(lstat64, lstat64(file, &status64))
CALL(fstatat64, fstatat64(AT_FDCWD, file, &status64, 0))
CALL(__xstat64, __xstat64(1, file, &status64))
CALL(__lxstat64, __lxstat64(1, file, &status64))
CALL(__fxstatat64, __fxstatat64(1, AT_FDCWD, file, &status64, 0))
CALL(statx, statx(AT_FDCWD, file, 0, STATX_BASIC_STATS, &statusx))
CALL(statfs, statfs(file, &fs))
CALL(fstatfs, fstatfs(fd, &fs))
CALL(statvfs, statvfs(file, &vfs))
CALL(fstatvfs, fstatvfs(fd, &vfs))
CALL(statfs64, statfs64(file, &fs64))
CALL(fstatfs64, fstatfs64(fd, &fs64))
CALL(statvfs64, statvfs64(file, &vfs64))
CALL(fstatvfs64, fstatvfs64(fd, &vfs64))
CALL(access, access(file, R_OK))
CALL(eaccess, eaccess(file, R_OK))
CALL(euidaccess, euidaccess(file, R_OK))
CALL(faccessat, faccessat(AT_FDCWD, file, R_OK, 0))
CALL(readlink, readlink(symbolic, text, sizeof text))
CALL(__readlink_chk, __readlink_chk(symbolic, text, sizeof text, sizeof text))
CALL(readlinkat, readlinkat(AT_FDCWD, symbolic, text, sizeof text))
CALL(__readlinkat_chk, __readlinkat_chk(AT_FDCWD, symbolic, text, sizeof text, sizeof text))
CALL(realpath, realpath(file, text) ? 0 : -1)
CALL(__realpath_chk, __realpath_chk(file, text, sizeof text) ? 0 : -1)
CALL(canonicalize_file_name, canonicalize_file_name(file) ? 0 : -1)
CALL(rename, rename(file, absent))
CALL(renameat, renameat(AT_FDCWD, file, AT_FDCWD, absent))
CALL(renameat2, renameat2(AT_FDCWD, file, AT_FDCWD, absent, RENAME_NOREPLACE))
CALL(link, link(file, absent))
CALL(linkat, linkat(AT_FDCWD, file, AT_FDCWD, absent, 0))
CALL(symlink, symlink("file", absent))
CALL(symlinkat, symlinkat("file", AT_FDCWD, absent))
CALL(unlink, unlink(file))
CALL(unlinkat, unlinkat(AT_FDCWD, file, 0))
CALL(remove, remove(file))
CALL(mkdir, mkdir(absent, 0700))
CALL(mkdirat, mkdirat(AT_FDCWD, absent, 0700))
CALL(rmdir, rmdir(directory))
CALL(chdir, chdir(directory))
CALL(chmod, chmod(file, 0600))
CALL(fchmodat, fchmodat(AT_FDCWD, file, 0600, 0))
CALL(chown, chown(file, geteuid(), getegid()))
CALL(lchown, lchown(file, geteuid(), getegid()))
CALL(fchownat, fchownat(AT_FDCWD, file, geteuid(), getegid(), 0))
CALL(truncate, truncate(file, 1))
CALL(truncate64, truncate64(file, 1))
CALL(creat, creat(file, 0600))
CALL(creat64, creat64(file, 0600))
CALL(opendir, opendir(directory) ? 0 : -1)
CALL(readdir, readdir(dir) ? 0 : -1)
CALL(readdir_r, readdir_r(dir, &entry, &entry_result))
CALL(scandir, scandir(directory, &entries, NULL, NULL))
CALL(scandirat, scandirat(AT_FDCWD, directory, &entries, NULL, NULL))
CALL(ftruncate, ftruncate(fd, 1))
CALL(fallocate, fallocate(fd, 0, 0, 1))
CALL(posix_fallocate, posix_fallocate(fd, 0, 1))
CALL(readdir64, readdir64(dir) ? 0 : -1)
CALL(readdir64_r, readdir64_r(dir, &entry64, &entry64_result))
CALL(scandir64, scandir64(directory, &entries64, NULL, NULL))
CALL(scandirat64, scandirat64(AT_FDCWD, directory, &entries64, NULL, NULL))
CALL(ftruncate64, ftruncate64(fd, 1))
CALL(fallocate64, fallocate64(fd, 0, 0, 1))
CALL(posix_fallocate64, posix_fallocate64(fd, 0, 1))
CALL(fchmod, fchmod(fd, 0600))
CALL(fchown, fchown(fd, geteuid(), getegid()))
CALL(sync_file_range, sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE))
CALL(syncfs, syncfs(fd))
CALL(msync, msync(mapping, 1, MS_SYNC))

static long call_sync(void)
{
    sync();
    return 0;
}

static long call_msync_later(void)
{
    return msync(mapping, 1, MS_ASYNC);
}

static const struct scenario rows[] = {
    ROW(stat, SYS_newfstatat),
    ROW(lstat, SYS_newfstatat),
    ROW(fstatat, SYS_newfstatat),
    ROW(__xstat, SYS_stat),
    ROW(__lxstat, SYS_lstat),
    ROW(__fxstatat, SYS_newfstatat),
    ROW(stat64, SYS_newfstatat),
    ROW(lstat64, SYS_newfstatat),
    ROW(fstatat64, SYS_newfstatat),
    ROW(__xstat64, SYS_stat),
    ROW(__lxstat64, SYS_lstat),
    ROW(__fxstatat64, SYS_newfstatat),
    ROW(statx, SYS_statx),
    ROW(statfs, SYS_statfs),
    ROW(fstatfs, SYS_fstatfs),
    ROW(statvfs, SYS_statfs),
    ROW(fstatvfs, SYS_fstatfs),
    ROW(statfs64, SYS_statfs),
    ROW(fstatfs64, SYS_fstatfs),
    ROW(statvfs64, SYS_statfs),
    ROW(fstatvfs64, SYS_fstatfs),
    ROW(access, SYS_access),
    ROW(eaccess, SYS_access),
    ROW(euidaccess, SYS_access),
    ROW(faccessat, SYS_faccessat2),
    ROW(readlink, SYS_readlink),
    ROW(__readlink_chk, SYS_readlink),
    ROW(readlinkat, SYS_readlinkat),
    ROW(__readlinkat_chk, SYS_readlinkat),
    ROW(realpath, SYS_readlink),
#ifdef HAS_OLDER_LIBC
    ROW(realpath_2_2_5, SYS_readlink),
#endif
    ROW(__realpath_chk, SYS_readlink),
    ROW(canonicalize_file_name, SYS_readlink),
    ROW(rename, SYS_rename),
    ROW(renameat, SYS_renameat),
    ROW(renameat2, SYS_renameat2),
    ROW(link, SYS_link),
    ROW(linkat, SYS_linkat),
    ROW(symlink, SYS_symlink),
    ROW(symlinkat, SYS_symlinkat),
    ROW(unlink, SYS_unlink),
    ROW(unlinkat, SYS_unlinkat),
    ROW(remove, SYS_unlink),
    ROW(mkdir, SYS_mkdir),
    ROW(mkdirat, SYS_mkdirat),
    ROW(rmdir, SYS_rmdir),
    ROW(chdir, SYS_chdir),
    ROW(chmod, SYS_chmod),
    ROW(fchmodat, SYS_fchmodat),
    ROW(chown, SYS_chown),
    ROW(lchown, SYS_lchown),
    ROW(fchownat, SYS_fchownat),
    ROW(truncate, SYS_truncate),
    ROW(truncate64, SYS_truncate),
    ROW(creat, SYS_creat),
    ROW(creat64, SYS_creat),
    ROW(opendir, SYS_openat),
    ROW(readdir, SYS_getdents64),
    ROW(readdir_r, SYS_getdents64),
    ROW(scandir, SYS_openat),
    ROW(scandirat, SYS_openat),
    ROW(ftruncate, SYS_ftruncate),
    ROW(fallocate, SYS_fallocate),
    ROW(posix_fallocate, SYS_fallocate),
    ROW(readdir64, SYS_getdents64),
    ROW(readdir64_r, SYS_getdents64),
    ROW(scandir64, SYS_openat),
    ROW(scandirat64, SYS_openat),
    ROW(ftruncate64, SYS_ftruncate),
    ROW(fallocate64, SYS_fallocate),
    ROW(posix_fallocate64, SYS_fallocate),
    ROW(fchmod, SYS_fchmod),
    ROW(fchown, SYS_fchown),
    ROW(sync_file_range, SYS_sync_file_range),
    ROW(syncfs, SYS_syncfs),
    {"msync", make_tree, call_msync, NULL, make_tree, call_msync_later, SYS_msync},
    {"sync", NULL, call_sync, NULL, NULL, NULL, SYS_sync},
};

SCENARIO_MAIN(rows)
