/* SPDX-License-Identifier: Apache-2.0 */
/* A socket to which nobody writes, and the ways to wait for it. */
#ifndef SILENT_H
#define SILENT_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "scenario.h"

static int silent_socket(void)
{
    static int ends[2] = {-1, -1};
    if (ends[0] < 0)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    return ends[0];
}

static struct pollfd *silent_array(void)
{
    static struct pollfd array;
    array = (struct pollfd){.fd = silent_socket(), .events = POLLIN};
    return &array;
}

/* select(2) writes its answer over it. */
static fd_set *silent_sets(void)
{
    static fd_set set;
    FD_ZERO(&set);
    FD_SET(silent_socket(), &set);
    return &set;
}

static int silent_set(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(EPOLL_CLOEXEC);
    CHECK(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, silent_socket(), &event) == 0);
    return set;
}

#endif
