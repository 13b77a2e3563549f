/* SPDX-License-Identifier: Apache-2.0 */
/* A collector that takes the ring as its reader, and then runs for ever without reading it. The
 * library starts it: LOOPHOUND_COLLECTOR. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/protocol.h"
#include "common/ring.h"

/* The first descriptor of a hello is the ring's. */
static int receive_ring(void)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    char body[sizeof(struct lh_hello)];
    struct iovec part = {body, sizeof(body)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int fd = -1;
    if (recvmsg(LH_COLLECTOR_SOCKET_FD, &message, 0) > 0)
        memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

int main(void)
{
    struct lh_ring *ring =
        mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, receive_ring(), 0);
    if (ring == MAP_FAILED)
        return 1;
    atomic_store(&ring->reader, (uint32_t)getpid());
    for (;;)
        atomic_signal_fence(memory_order_seq_cst);
}
