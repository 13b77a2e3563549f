/* SPDX-License-Identifier: Apache-2.0 */
/* Where our own files are: the library, and a private place for a socket. */
#include "cli/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/sink/text_parts.h"
#include "common/paths.h"
#include "common/protocol.h"

#define LIBRARY "libloophound.so"

/* The oldest glibc that the library is made for; scripts/check_exports.py holds it. The dynamic
 * linker ends a program whose libc lacks a version that a preloaded library asks for. */
#define OLDEST_MAJOR 2
#define OLDEST_MINOR 28

#define TRIES_MAX 3 /* to make a directory that is there a moment later */

static bool libc_is_too_old(void)
{
    int major = 0, minor = 0;
    sscanf(gnu_get_libc_version(), "%d.%d", &major, &minor);
    return major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR);
}

/* The directory of this executable; "" when it cannot be known. Without a /proc it is as it was
 * called, which may be by a link: getauxval(3). */
static void own_directory(char dir[PATH_MAX])
{
    const char *called = (const char *)getauxval(AT_EXECFN);
    ssize_t length = readlink("/proc/self/exe", dir, PATH_MAX - 1);
    dir[length > 0 ? length : 0] = '\0';
    if (length <= 0 && (called == NULL || realpath(called, dir) == NULL))
        dir[0] = '\0';
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* Is there such a readable file? Then its canonical path is in `path`. */
static int try_library(const char *dir, const char *below, char *path, size_t size)
{
    char candidate[PATH_MAX];
    char resolved[PATH_MAX];
    int length = snprintf(candidate, sizeof(candidate), "%s%s/" LIBRARY, dir, below);
    if (length < 0 || (size_t)length >= sizeof(candidate))
        return -ENAMETOOLONG;
    if (access(candidate, R_OK) != 0 || realpath(candidate, resolved) == NULL)
        return -errno;
    length = snprintf(path, size, "%s", resolved);
    return length >= 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}

int lh_locate_library_quietly(char *path, size_t size, struct lh_text *why)
{
    char own[PATH_MAX];
    if (libc_is_too_old()) {
        lh_text_format(why, "needs glibc %d.%d or later, this is %s", OLDEST_MAJOR, OLDEST_MINOR,
                       gnu_get_libc_version());
        return -ENOTSUP;
    }
    own_directory(own);
    if (try_library(own, "", path, size) != 0 && try_library(own, "/../lib", path, size) != 0 &&
        try_library(lh_path_libdir, "", path, size) != 0) {
        lh_text_format(why, LIBRARY " is neither in %s, nor in %s/../lib, nor in %s", own, own,
                       lh_path_libdir);
        return -ENOENT;
    }
    /* ld.so(8): the items of LD_PRELOAD are separated by spaces or colons, and nothing escapes
     * them. */
    if (strpbrk(path, ": ") != NULL) {
        lh_text_format(why, "LD_PRELOAD cannot hold a path with a space or a colon: %s", path);
        return -EINVAL;
    }
    return 0;
}

int lh_locate_library(char *path, size_t size)
{
    char buf[4 * PATH_MAX];
    struct lh_text why;
    lh_text_init(&why, buf, sizeof(buf));
    int error = lh_locate_library_quietly(path, size, &why);
    if (error != 0)
        fprintf(stderr, "loophound: %s; nothing started\n", buf);
    return error;
}

/* For as long as this process lives. 0, also where the file system has no such locks, or -EAGAIN:
 * it was taken for one that was left behind, a moment ago. */
static int lock(struct lh_private_dir *dir)
{
    struct stat ours;
    struct stat named;
    int fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -EAGAIN : 0;
    int error = flock(fd, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
    bool gone = fstat(fd, &ours) != 0 || stat(dir->path, &named) != 0 ||
                ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
    dir->lock_fd = error == 0 && !gone ? fd : -1;
    if (dir->lock_fd < 0)
        close(fd);
    return gone || error == EWOULDBLOCK ? -EAGAIN : 0;
}

static int try_in(struct lh_private_dir *dir, const char *parent)
{
    if (parent == NULL || parent[0] != '/')
        return -ENOENT;
    int length = snprintf(dir->path, sizeof(dir->path), "%s/" LH_RUN_DIRECTORY "%d-XXXXXX", parent,
                          (int)getpid()); /* for the library: is this `run` over? */
    if (length < 0 || (size_t)length >= sizeof(dir->path))
        return -ENAMETOOLONG;
    uint64_t secret[2];
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        return -EAGAIN;
    length = snprintf(dir->socket, sizeof(dir->socket), "%s/%016" PRIx64 "%016" PRIx64, dir->path,
                      secret[0], secret[1]);
    if ((size_t)length >= sizeof(dir->socket))
        return -ENAMETOOLONG;
    if (mkdtemp(dir->path) == NULL)
        return -errno;
    memcpy(dir->socket, dir->path, strlen(dir->path)); /* what mkdtemp made of it */
    int error = lock(dir);
    if (error == 0 && geteuid() == 0 && chmod(dir->path, 0711) != 0)
        error = -errno;
    return error;
}

static int make_in(struct lh_private_dir *dir, const char *parent)
{
    int error = -EAGAIN;
    for (int tries = 0; error == -EAGAIN && tries < TRIES_MAX; tries++)
        error = try_in(dir, parent);
    return error;
}

int lh_private_dir_make(struct lh_private_dir *dir)
{
    const char *const parents[] = {
        geteuid() == 0 ? "/run" : NULL,
        getenv("XDG_RUNTIME_DIR"),
        getenv("TMPDIR"),
        "/tmp",
        "/dev/shm", /* in memory: there also where the disk is for reading only */
        "/var/tmp",
        getenv("HOME"),
    };
    int error = -ENOENT;
    for (size_t i = 0; error != 0 && i < sizeof(parents) / sizeof(parents[0]); i++)
        error = make_in(dir, parents[i]);
    return error;
}

void lh_private_dir_remove(const struct lh_private_dir *dir)
{
    unlink(dir->socket);
    rmdir(dir->path);
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
}
