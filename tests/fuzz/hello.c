/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on the collector's socket: how many descriptors come along, and the bytes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/link/hello.h"
#include "fuzz.h"

#define FDS_MAX 4

static void send_to(int fd, const void *bytes, size_t size, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec body = {(void *)(uintptr_t)bytes, size};
    struct msghdr header = {.msg_iov = &body, .msg_iovlen = 1};
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(part), fds, count * sizeof(int));
    }
    MUST(sendmsg(fd, &header, MSG_NOSIGNAL) == (ssize_t)size);
}

/* The lowest free descriptor: the same before and after means that none was left open. */
static int free_fd(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    close(fd);
    return fd;
}

/* libFuzzer has a timer that interrupts; so the collector would ask again, too. */
static int receive(int fd, struct lh_hello_message *message)
{
    int got = -EINTR;
    while (got == -EINTR)
        got = lh_hello_receive(fd, message);
    return got;
}

/* Whoever looks at /proc/PID/fd holds the other end for a moment longer than its close (seen once
 * in three million). */
static void wait_for_hang_up(int fd)
{
    struct pollfd end = {.fd = fd};
    while (poll(&end, 1, -1) < 0)
        MUST(errno == EINTR);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    size_t count = take_u8(&input) % (FDS_MAX + 1);
    const int fds[FDS_MAX] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};
    struct lh_hello_message message;
    int ends[2];
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    int before = free_fd();
    send_to(ends[0], input.at, input.left, fds, count);
    int got = receive(ends[1], &message);
    if (got == 1) {
        MUST(input.left == sizeof(message.hello) && count <= 2);
        MUST(message.hello.magic == LH_RING_MAGIC);
        MUST((message.ring_fd >= 0) == (count > 0) && (message.maps_fd >= 0) == (count == 2));
    } else {
        MUST(got == -EPROTO || got == 0);
    }
    if (got == 1 && count > 0)
        close(message.ring_fd);
    if (got == 1 && count == 2)
        close(message.maps_fd);
    MUST(free_fd() == before);
    MUST(receive(ends[1], &message) == -EAGAIN);
    close(ends[0]);
    wait_for_hang_up(ends[1]);
    MUST(receive(ends[1], &message) == 0);
    close(ends[1]);
    return 0;
}
