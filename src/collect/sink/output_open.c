/* SPDX-License-Identifier: Apache-2.0 */
/* Opening outputs. Runs in the collector, on the threads of its rings. Nothing here waits. */
#include "collect/sink/output_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/output_rules.h"
#include "common/text.h"

/* O_NONBLOCK belongs to the open file that we share with the program, which did not ask for it:
 * open the same pipe or terminal once more, as a file of our own. A disk file never waits in that
 * sense, and has a position that must stay shared. */
static int open_again(struct lh_output_file *file, int fd)
{
    char name[64];
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -errno;
    *file = (struct lh_output_file){.fd = fd, .way = LH_WAY_PLAIN};
    if (S_ISREG(status.st_mode))
        return 0;
    if (S_ISSOCK(status.st_mode)) {
        file->way = LH_WAY_SOCKET;
        return 0;
    }
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    int own = open(name, LH_OUTPUT_FLAGS);
    file->fd = own >= 0 ? own : fd;
    file->owned = own >= 0;
    file->way = own >= 0 ? LH_WAY_PLAIN : LH_WAY_ASK;
    return 0;
}

/* The number may come out of a ring, or not have been handed down after all: it must not lead to a
 * descriptor of our own, all of which are closed on exec, as none can be that was handed down to
 * us. */
static int open_fd(struct lh_output_file *file, const struct lh_output_target *target)
{
    int flags = fcntl(target->fd, F_GETFD);
    if (flags < 0)
        return -errno;
    if ((flags & FD_CLOEXEC) != 0 && !target->ours)
        return -EBADF;
    return open_again(file, target->fd);
}

/* The directory of a path, for openat(2), and the name in it. */
static int open_directory(const char *path, const char **name)
{
    char directory[PATH_MAX];
    *name = lh_base_name(path);
    (void)snprintf(directory, sizeof(directory), "%.*s", (int)(*name - path), path);
    return open(*name == path ? "." : directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* A name with a pid in it is ours alone: what is there already is used only if we made it. */
static int open_name(int directory, const char *name, bool own_name, bool *shared)
{
    struct stat status;
    if (fstat(directory, &status) != 0)
        return -1;
    *shared = lh_output_is_shared(&status, geteuid());
    int flags = LH_OUTPUT_FLAGS | (*shared || own_name ? O_NOFOLLOW : 0);
    int fd = openat(directory, name, flags | O_CREAT | (own_name ? O_EXCL : 0), LH_OUTPUT_MODE);
    if (fd >= 0 || errno != EEXIST)
        return fd;
    *shared = true;
    return openat(directory, name, flags);
}

static int open_path(struct lh_output_file *file, const struct lh_output_target *target)
{
    const char *name;
    struct stat status;
    bool shared = true;
    int directory = open_directory(target->path, &name);
    if (directory < 0)
        return -errno;
    int fd = open_name(directory, name, target->own_name, &shared);
    int error = fd < 0 || fstat(fd, &status) != 0 ? -errno : 0;
    close(directory);
    if (error == 0)
        error = lh_output_refusal(&status, shared, geteuid());
    if (error == 0)
        *file = (struct lh_output_file){.fd = fd, .owned = true, .way = LH_WAY_PLAIN};
    else if (fd >= 0)
        close(fd);
    return error;
}

static int open_unix(struct lh_output_file *file, const struct lh_output_target *target)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(target->path);
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, target->path, length + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    *file = (struct lh_output_file){.fd = fd, .owned = true, .way = LH_WAY_SOCKET};
    return 0;
}

/* Of a disk file that is appended to: a disk was full, a writer was killed. One that cannot be read
 * is believed to end well. */
static bool is_torn(int fd)
{
    char name[64];
    char last = '\n';
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_APPEND) == 0 || fstat(fd, &status) != 0 ||
        !S_ISREG(status.st_mode) || status.st_size == 0)
        return false;
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    int reader = open(name, O_RDONLY | O_CLOEXEC);
    if (reader < 0)
        return false;
    ssize_t length = pread(reader, &last, 1, status.st_size - 1);
    close(reader);
    return length == 1 && last != '\n';
}

int lh_output_open(struct lh_output_file *file, const struct lh_output_target *target)
{
    static int (*const openers[])(struct lh_output_file *, const struct lh_output_target *) = {
        [LH_OUTPUT_STDERR] = open_fd,
        [LH_OUTPUT_FD] = open_fd,
        [LH_OUTPUT_PATH] = open_path,
        [LH_OUTPUT_UNIX] = open_unix,
    };
    int error = openers[target->kind](file, target);
    if (error == 0)
        file->torn = is_torn(file->fd);
    return error;
}
