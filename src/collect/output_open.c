/* Opening outputs. Runs in the collector, on the threads of its rings. Nothing here waits. */
#include "collect/output_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

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
    int own = open(name, OPEN_FLAGS);
    file->fd = own >= 0 ? own : fd;
    file->owned = own >= 0;
    file->way = own >= 0 ? LH_WAY_PLAIN : LH_WAY_ASK;
    return 0;
}

/* The number may come out of a ring, or not have been handed down after all: it must not lead to a
 * descriptor of our own, all of which are closed on exec, as none can be that was handed down to
 * us. */
static int open_fd(struct lh_output_file *file, const struct lh_output_place *place)
{
    int flags = fcntl(place->fd, F_GETFD);
    if (flags < 0)
        return -errno;
    if ((flags & FD_CLOEXEC) != 0)
        return -EBADF;
    return open_again(file, place->fd);
}

static int open_path(struct lh_output_file *file, const struct lh_output_place *place)
{
    int fd = open(place->path, OPEN_FLAGS | O_CREAT, 0644);
    if (fd < 0)
        return -errno;
    *file = (struct lh_output_file){.fd = fd, .owned = true, .way = LH_WAY_PLAIN};
    return 0;
}

static int open_unix(struct lh_output_file *file, const struct lh_output_place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(place->path);
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, place->path, length + 1);
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

int lh_output_open(struct lh_output_file *file, const struct lh_output_place *place)
{
    static int (*const openers[])(struct lh_output_file *, const struct lh_output_place *) = {
        [LH_OUTPUT_STDERR] = open_fd,
        [LH_OUTPUT_FD] = open_fd,
        [LH_OUTPUT_PATH] = open_path,
        [LH_OUTPUT_UNIX] = open_unix,
    };
    return openers[place->kind](file, place);
}
