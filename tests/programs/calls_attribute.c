/* SPDX-License-Identifier: Apache-2.0 */
/* More of what is at a path or in a file: see scenario.h and disk_tree.h. */
#include <dlfcn.h>
#include <glob.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "disk_tree.h"

/* What programs call that were linked before glibc 2.33. */
extern int __xmknod(int version, const char *path, mode_t mode, dev_t *device);
extern int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device);

static dev_t no_device;
static glob_t found;
static glob64_t found64;

/* Before glibc 2.27. */
extern int glob_2_2_5(const char *path, int flags, int (*failed)(const char *, int), glob_t *into);
extern int glob64_2_2_5(const char *path, int flags, int (*failed)(const char *, int),
                        glob64_t *into);
__asm__(".symver glob_2_2_5, glob@" FIRST_LIBC);
__asm__(".symver glob64_2_2_5, glob64@" FIRST_LIBC);
static char template[PATH_MAX + 8];
static int queue;

static void remove_made(void)
{
    unlink(template);
    rmdir(template);
    rmdir(root);
}

static void make_all(void)
{
    make_tree();
    atexit(remove_made);
    snprintf(template, sizeof template, "%.4000s/XXXXXX", root);
    queue = inotify_init1(IN_CLOEXEC);
}

static void name_all_in_memory(void)
{
    name_memory();
    snprintf(template, sizeof template, "/proc/self/XXXXXX");
    queue = inotify_init1(IN_CLOEXEC);
}

static long call_tmpfile(void)
{
    return tmpfile() ? 0 : -1;
}

static long call_tmpfile64(void)
{
    return tmpfile64() ? 0 : -1;
}

CALL(getxattr, getxattr(file, "user.x", text, sizeof text))
CALL(lgetxattr, lgetxattr(file, "user.x", text, sizeof text))
CALL(fgetxattr, fgetxattr(fd, "user.x", text, sizeof text))
CALL(setxattr, setxattr(file, "user.x", "1", 1, 0))
CALL(lsetxattr, lsetxattr(file, "user.x", "1", 1, 0))
CALL(fsetxattr, fsetxattr(fd, "user.x", "1", 1, 0))
CALL(listxattr, listxattr(file, text, sizeof text))
CALL(llistxattr, llistxattr(file, text, sizeof text))
CALL(flistxattr, flistxattr(fd, text, sizeof text))
CALL(removexattr, removexattr(file, "user.x"))
CALL(lremovexattr, lremovexattr(file, "user.x"))
CALL(fremovexattr, fremovexattr(fd, "user.x"))
CALL(utime, utime(file, NULL))
CALL(utimes, utimes(file, NULL))
CALL(lutimes, lutimes(file, NULL))
CALL(futimesat, futimesat(AT_FDCWD, file, NULL))
CALL(utimensat, utimensat(AT_FDCWD, file, NULL, 0))
CALL(futimes, futimes(fd, NULL))
CALL(futimens, futimens(fd, NULL))
CALL(fchdir, fchdir(fd))
CALL(readahead, readahead(fd, 0, 1))
CALL(getdents64, getdents64(fd, text, sizeof text))
CALL(mkfifo, mkfifo(absent, 0600))
CALL(mkfifoat, mkfifoat(AT_FDCWD, absent, 0600))
CALL(mknod, mknod(absent, S_IFREG | 0600, 0))
CALL(mknodat, mknodat(AT_FDCWD, absent, S_IFREG | 0600, 0))
CALL(__xmknod, __xmknod(0, absent, S_IFREG | 0600, &no_device))
CALL(__xmknodat, __xmknodat(0, AT_FDCWD, absent, S_IFREG | 0600, &no_device))
CALL(lchmod, lchmod(file, 0600))
CALL(pathconf, pathconf(file, _PC_LINK_MAX))
CALL(ftok, ftok(file, 1) == -1 ? -1 : 0)
CALL(inotify_add_watch, inotify_add_watch(queue, file, IN_OPEN))
CALL(fanotify_mark, fanotify_mark(queue, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, file))
CALL(mkstemp, mkstemp(template))
CALL(mkstemp64, mkstemp64(template))
CALL(mkostemp, mkostemp(template, O_CLOEXEC))
CALL(mkostemp64, mkostemp64(template, O_CLOEXEC))
CALL(mkstemps, mkstemps(template, 0))
CALL(mkstemps64, mkstemps64(template, 0))
CALL(mkostemps, mkostemps(template, 0, O_CLOEXEC))
CALL(mkostemps64, mkostemps64(template, 0, O_CLOEXEC))
CALL(mkdtemp, mkdtemp(template) ? 0 : -1)
CALL(dlopen, dlopen(file, RTLD_NOW) ? 0 : -1)
CALL(glob, glob(file, 0, NULL, &found))
CALL(glob64, glob64(file, 0, NULL, &found64))
CALL(glob_2_2_5, glob_2_2_5(file, 0, NULL, &found))
CALL(glob64_2_2_5, glob64_2_2_5(file, 0, NULL, &found64))
CALL(posix_fadvise, posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED))
CALL(posix_fadvise64, posix_fadvise64(fd, 0, 0, POSIX_FADV_WILLNEED))

#define ALL_ROW(symbol, number)                                                                    \
    {                                                                                              \
#symbol, make_all, call_##symbol, NULL, name_all_in_memory, call_##symbol, number          \
    }

static const struct scenario rows[] = {
    ALL_ROW(getxattr, SYS_getxattr),
    ALL_ROW(lgetxattr, SYS_lgetxattr),
    ALL_ROW(fgetxattr, SYS_fgetxattr),
    ALL_ROW(setxattr, SYS_setxattr),
    ALL_ROW(lsetxattr, SYS_lsetxattr),
    ALL_ROW(fsetxattr, SYS_fsetxattr),
    ALL_ROW(listxattr, SYS_listxattr),
    ALL_ROW(llistxattr, SYS_llistxattr),
    ALL_ROW(flistxattr, SYS_flistxattr),
    ALL_ROW(removexattr, SYS_removexattr),
    ALL_ROW(lremovexattr, SYS_lremovexattr),
    ALL_ROW(fremovexattr, SYS_fremovexattr),
    ALL_ROW(utime, SYS_utimensat),
    ALL_ROW(utimes, SYS_utimensat),
    ALL_ROW(lutimes, SYS_utimensat),
    ALL_ROW(futimesat, SYS_utimensat),
    ALL_ROW(utimensat, SYS_utimensat),
    ALL_ROW(futimes, SYS_utimensat),
    ALL_ROW(futimens, SYS_utimensat),
    ALL_ROW(fchdir, SYS_fchdir),
    ALL_ROW(readahead, SYS_readahead),
    ALL_ROW(getdents64, SYS_getdents64),
    ALL_ROW(mkfifo, SYS_mknodat),
    ALL_ROW(mkfifoat, SYS_mknodat),
    ALL_ROW(mknod, SYS_mknodat),
    ALL_ROW(mknodat, SYS_mknodat),
    ALL_ROW(__xmknod, SYS_mknodat),
    ALL_ROW(__xmknodat, SYS_mknodat),
    ALL_ROW(lchmod, SYS_openat),
    ALL_ROW(pathconf, SYS_statfs),
    ALL_ROW(ftok, SYS_newfstatat),
    ALL_ROW(inotify_add_watch, SYS_inotify_add_watch),
    ALL_ROW(fanotify_mark, SYS_fanotify_mark),
    ALL_ROW(mkstemp, SYS_openat),
    ALL_ROW(mkstemp64, SYS_openat),
    ALL_ROW(mkostemp, SYS_openat),
    ALL_ROW(mkostemp64, SYS_openat),
    ALL_ROW(mkstemps, SYS_openat),
    ALL_ROW(mkstemps64, SYS_openat),
    ALL_ROW(mkostemps, SYS_openat),
    ALL_ROW(mkostemps64, SYS_openat),
    ALL_ROW(mkdtemp, SYS_mkdir),
    ALL_ROW(dlopen, SYS_openat),
    ALL_ROW(glob, SYS_newfstatat),
    ALL_ROW(glob64, SYS_newfstatat),
    ALL_ROW(glob_2_2_5, SYS_newfstatat),
    ALL_ROW(glob64_2_2_5, SYS_newfstatat),
    ALL_ROW(posix_fadvise, SYS_fadvise64),
    ALL_ROW(posix_fadvise64, SYS_fadvise64),
    {"tmpfile", NULL, call_tmpfile, NULL, NULL, NULL, SYS_openat},
    {"tmpfile64", NULL, call_tmpfile64, NULL, NULL, NULL, SYS_openat},
};

SCENARIO_MAIN(rows)
