/* SPDX-License-Identifier: Apache-2.0 */
/* A client that talks to a server in the same program, from a thread of its own, as plain clients
 * do: it waits for its one socket in poll, with a timeout. */
#ifndef SMALL_CLIENT_H
#define SMALL_CLIENT_H

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS 8
#define MISTAKE  5 /* the request whose handler blocks */

static volatile int not_the_last_call;

#define CHECK(expression)                                                                          \
    do {                                                                                           \
        if (!(expression)) {                                                                       \
            perror(#expression);                                                                   \
            exit(3);                                                                               \
        }                                                                                          \
    } while (0)

static inline void wait_200_ms(void)
{
    const struct timespec time = {0, 200 * 1000000L};
    nanosleep(&time, NULL);
    not_the_last_call = 1;
}

static void *talk(void *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, address, sizeof(struct sockaddr_in)) == 0);
    for (int i = 0; i < REQUESTS; i++) {
        struct pollfd answer = {.fd = fd, .events = POLLIN};
        char byte = 'x';
        CHECK(write(fd, &byte, 1) == 1);
        CHECK(poll(&answer, 1, 10000) == 1);
        CHECK(read(fd, &byte, 1) == 1);
    }
    wait_200_ms(); /* no loop thread: never reported */
    close(fd);
    return NULL;
}

/* A listening socket, and a client on its way to it. */
static int listen_with_client(pthread_t *client)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(listener, 5) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    CHECK(pthread_create(client, NULL, talk, &address) == 0);
    return listener;
}

/* Answers one request; false: the client has gone. */
static inline int answer_request(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        return 0;
    CHECK(write(fd, &byte, 1) == 1);
    return 1;
}

#endif
