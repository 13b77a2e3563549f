/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the group network, made to wait: see scenario.h. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "scenario.h"

/* The fortified forms that a program compiled with -D_FORTIFY_SOURCE calls. */
extern ssize_t __recv_chk(int fd, void *buf, size_t len, size_t buflen, int flags);
extern ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t buflen, int flags,
                              struct sockaddr *addr, socklen_t *addrlen);

static char buffer[65536];
static struct iovec vector = {buffer, 1};
static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
static struct mmsghdr messages[1] = {{.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}}};
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length;
static int listener;

static void set_nonblocking(int fd)
{
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

static void make_pair(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
}

static void make_nonblocking_pair(void)
{
    make_pair();
    set_nonblocking(pair[0]);
}

static void make_full_pair(void)
{
    make_pair();
    while (send(pair[0], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        ;
}

static void send_one(void)
{
    CHECK(send(pair[1], "x", 1, 0) == 1);
}

static void drain(void)
{
    while (recv(pair[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        ;
}

/* A listening socket with an abstract name that the kernel chooses. */
static void make_listener(void)
{
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
    address_length = sizeof address;
    CHECK(getsockname(listener, (struct sockaddr *)&address, &address_length) == 0);
    CHECK(listen(listener, 0) == 0);
    pair[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void make_full_listener(void)
{
    int fd;
    make_listener();
    do {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    } while (connect(fd, (struct sockaddr *)&address, address_length) == 0);
}

static void make_nonblocking_connector(void)
{
    make_listener();
    set_nonblocking(pair[0]);
}

static void make_nonblocking_listener(void)
{
    make_listener();
    set_nonblocking(listener);
}

static void accept_one(void)
{
    CHECK(accept(listener, NULL, NULL) >= 0);
}

static void connect_one(void)
{
    CHECK(connect(pair[0], (struct sockaddr *)&address, address_length) == 0);
}

static long call_connect(void)
{
    return connect(pair[0], (struct sockaddr *)&address, address_length);
}

static long call_accept(void)
{
    return accept(listener, NULL, NULL);
}

static long call_accept4(void)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static long call_recv(void)
{
    return recv(pair[0], buffer, 1, 0);
}

static long call_recv_dontwait(void)
{
    return recv(pair[0], buffer, 1, MSG_DONTWAIT);
}

static long call_recv_chk(void)
{
    return __recv_chk(pair[0], buffer, 1, sizeof buffer, 0);
}

static long call_recvfrom(void)
{
    return recvfrom(pair[0], buffer, 1, 0, NULL, NULL);
}

static long call_recvfrom_chk(void)
{
    return __recvfrom_chk(pair[0], buffer, 1, sizeof buffer, 0, NULL, NULL);
}

static long call_recvmsg(void)
{
    return recvmsg(pair[0], &message, 0);
}

static long call_send(void)
{
    return send(pair[0], buffer, 1, 0);
}

static long call_sendto(void)
{
    return sendto(pair[0], buffer, 1, 0, NULL, 0);
}

static long call_sendmsg(void)
{
    return sendmsg(pair[0], &message, 0);
}

static long call_recvmmsg(void)
{
    return recvmmsg(pair[0], messages, 1, 0, NULL);
}

static long call_sendmmsg(void)
{
    return sendmmsg(pair[0], messages, 1, 0);
}

static const struct scenario rows[] = {
    {"connect", make_full_listener, call_connect, accept_one, make_nonblocking_connector,
     call_connect, 0},
    {"accept", make_listener, call_accept, connect_one, make_nonblocking_listener, call_accept, 0},
    {"accept4", make_listener, call_accept4, connect_one, make_nonblocking_listener, call_accept4,
     0},
    {"recv", make_pair, call_recv, send_one, make_pair, call_recv_dontwait, 0},
    {"__recv_chk", make_pair, call_recv_chk, send_one, make_nonblocking_pair, call_recv_chk, 0},
    {"recvfrom", make_pair, call_recvfrom, send_one, make_nonblocking_pair, call_recvfrom, 0},
    {"__recvfrom_chk", make_pair, call_recvfrom_chk, send_one, make_nonblocking_pair,
     call_recvfrom_chk, 0},
    {"recvmsg", make_pair, call_recvmsg, send_one, make_nonblocking_pair, call_recvmsg, 0},
    {"send", make_full_pair, call_send, drain, make_nonblocking_pair, call_send, 0},
    {"sendto", make_full_pair, call_sendto, drain, make_nonblocking_pair, call_sendto, 0},
    {"sendmsg", make_full_pair, call_sendmsg, drain, make_nonblocking_pair, call_sendmsg, 0},
    {"recvmmsg", make_pair, call_recvmmsg, send_one, make_nonblocking_pair, call_recvmmsg, 0},
    {"sendmmsg", make_full_pair, call_sendmmsg, drain, make_nonblocking_pair, call_sendmmsg, 0},
};

SCENARIO_MAIN(rows)
