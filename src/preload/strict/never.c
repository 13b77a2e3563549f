/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that cannot have waited. See never.h. */
#include "preload/strict/never.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "preload/strict/disk.h"
#include "preload/sys/syscall.h"

static bool is_nonblocking(int fd)
{
    long flags = lh_syscall2(SYS_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

bool lh_never_fd_or_disk(int fd)
{
    switch (lh_fd_type(fd)) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFBLK:
        return false;
    default:
        return is_nonblocking(fd);
    }
}

bool lh_never_socket(int fd, int flags)
{
    return (flags & MSG_DONTWAIT) != 0 || is_nonblocking(fd);
}

bool lh_never_vector(int fd, int flags)
{
    return (flags & RWF_NOWAIT) != 0 || lh_never_fd_or_disk(fd);
}

static bool never_splices(int fd, unsigned flags)
{
    return ((flags & SPLICE_F_NONBLOCK) != 0 && lh_fd_type(fd) == S_IFIFO) ||
           lh_never_fd_or_disk(fd);
}

bool lh_never_two_fds(int from, int to, unsigned splice_flags)
{
    return never_splices(from, splice_flags) && never_splices(to, splice_flags);
}

bool lh_never_stream_of(FILE *stream)
{
    return lh_never_fd_or_disk(lh_stream_fd((uintptr_t)stream));
}
