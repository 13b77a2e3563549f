/* Descriptors in the watchdog's own table. See descriptors.h. */
#include "preload/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/text.h"
#include "preload/sys.h"

#define FD_LOWEST 16

int lh_fd_lift(long fd)
{
    if (fd < 0)
        return (int)fd;
    long lifted = lh_syscall3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FD_LOWEST);
    lh_syscall1(SYS_close, fd);
    return (int)lifted;
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
