/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors. See fd.h. */
#include "preload/sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/protocol.h"
#include "common/text.h"
#include "preload/sys/syscall.h"

#define FD_LOWEST (LH_COLLECTOR_OUTPUT_FD + 1)
#define FDS_MOST  5 /* open at once, from there: while a collector is started */
_Static_assert(FD_LOWEST + FDS_MOST == LH_FD_LIMIT_LEAST, "what is asked for is what is needed");

/* "/proc/thread-self/fd/N": the fd table of the calling thread, which for the watchdog is its own.
 */
long lh_fd_read_link(int fd, char *text, size_t size)
{
    char link[40];
    struct lh_text path;
    lh_text_init(&path, link, sizeof(link));
    lh_text_string(&path, "/proc/thread-self/fd/");
    lh_text_u64(&path, (uint64_t)fd);
    return lh_syscall4(SYS_readlinkat, AT_FDCWD, (long)link, (long)text, (long)size);
}

bool lh_fd_is(int fd, const char *what)
{
    char text[40];
    size_t length = strlen(what);
    return lh_fd_read_link(fd, text, sizeof(text)) == (long)length &&
           memcmp(text, what, length) == 0;
}

bool lh_fd_is_epoll(int fd)
{
    return lh_fd_is(fd, "anon_inode:[eventpoll]");
}

static int move_to(long fd, int lowest)
{
    if (fd < 0)
        return (int)fd;
    long moved = lh_syscall3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
    lh_syscall1(SYS_close, fd);
    return (int)moved;
}

int lh_fd_lift(long fd)
{
    return move_to(fd, FD_LOWEST);
}

int lh_fd_keep(long fd)
{
    return move_to(fd, LH_FD_LIMIT_LEAST);
}

bool lh_fd_has_room(void)
{
    long fd = lh_syscall2(SYS_pidfd_open, lh_syscall0(SYS_getpid), 0);
    long highest = fd < 0 ? fd : lh_syscall3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LH_FD_LIMIT_LEAST - 1);
    lh_fd_close((int)fd);
    lh_fd_close((int)highest);
    return fd == -ENOSYS || highest >= 0;
}

int lh_fd_borrow(int fd)
{
    long process = lh_syscall2(SYS_pidfd_open, lh_syscall0(SYS_getpid), 0);
    if (process < 0)
        return (int)process;
    long borrowed = lh_syscall3(SYS_pidfd_getfd, process, fd, 0);
    lh_syscall1(SYS_close, process);
    return lh_fd_lift(borrowed);
}

void lh_fd_close(int fd)
{
    if (fd >= 0)
        lh_syscall1(SYS_close, fd);
}

int lh_fd_connect(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!lh_text_copy(address.sun_path, sizeof(address.sun_path), path))
        return -ENAMETOOLONG;
    int fd = lh_fd_lift(lh_syscall3(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0)
        return fd;
    long error = lh_syscall3(SYS_connect, fd, (long)&address, sizeof(address));
    if (error == 0)
        return fd;
    lh_fd_close(fd);
    return (int)error;
}
