/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving what a program says of itself, over a socket that anybody of this user may hold. */
#ifndef LH_COLLECT_LINK_HELLO_H
#define LH_COLLECT_LINK_HELLO_H

#include <stdint.h>

#include "common/ring.h"

struct lh_hello_message {
    struct lh_hello hello;
    int ring_fd; /* -1: none came, nor a maps_fd */
    int maps_fd; /* -1: none came: the program sees no /proc */
};

/* Takes one message without waiting. Returns 1 (the descriptors are the caller's now), 0 at the end
 * of the connection, -EAGAIN, -EPROTO (not a hello of this version), or the errno of recvmsg. */
int lh_hello_receive(int socket_fd, struct lh_hello_message *message);

#endif
