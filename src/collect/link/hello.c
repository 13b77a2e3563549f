/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving hellos. Runs on the collector's driving thread; nothing here waits. */
#include "collect/link/hello.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_FDS 2

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(HELLO_FDS * sizeof(int))];
};

/* What does not fit into the control buffer is closed by the kernel (unix(7), MSG_CTRUNC). */
static unsigned collect_fds(struct msghdr *header, int fds[HELLO_FDS])
{
    unsigned count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t bytes = part->cmsg_len - CMSG_LEN(0);
        for (size_t at = 0; at + sizeof(int) <= bytes && count < HELLO_FDS; at += sizeof(int))
            memcpy(&fds[count++], CMSG_DATA(part) + at, sizeof(int));
    }
    return count;
}

static bool is_hello(const struct lh_hello *hello, ssize_t length, const struct msghdr *header)
{
    return length == (ssize_t)sizeof(*hello) &&
           (header->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && hello->magic == LH_RING_MAGIC &&
           hello->bytes == sizeof(struct lh_ring);
}

int lh_hello_receive(int socket_fd, struct lh_hello_message *message)
{
    union control control;
    int fds[HELLO_FDS] = {-1, -1};
    struct iovec body = {.iov_base = &message->hello, .iov_len = sizeof(message->hello)};
    struct msghdr header = {.msg_iov = &body,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t length = recvmsg(socket_fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0)
        return -errno;
    unsigned count = collect_fds(&header, fds);
    message->ring_fd = fds[0];
    message->maps_fd = fds[1];
    if (is_hello(&message->hello, length, &header))
        return 1;
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    return length == 0 ? 0 : -EPROTO;
}
