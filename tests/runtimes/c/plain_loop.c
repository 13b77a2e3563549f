/* SPDX-License-Identifier: Apache-2.0 */
/* A server without a library. PARK: poll or select. */
#include <poll.h>
#include <sys/select.h>

#include "server.h"

#define CONNECTIONS 32

static struct pollfd fds[1 + CONNECTIONS]; /* the first one listens */
static nfds_t count = 1;

static void by_poll(void)
{
    CHECK(poll(fds, count, -1) > 0);
}

static void by_select(void)
{
    fd_set readable;
    int top = 0;
    FD_ZERO(&readable);
    for (nfds_t i = 0; i < count; i++) {
        FD_SET(fds[i].fd, &readable);
        top = fds[i].fd > top ? fds[i].fd : top;
    }
    CHECK(select(top + 1, &readable, NULL, NULL, NULL) > 0);
    for (nfds_t i = 0; i < count; i++)
        fds[i].revents = FD_ISSET(fds[i].fd, &readable) ? POLLIN : 0;
}

static void accept_client(void)
{
    CHECK(count < sizeof(fds) / sizeof(fds[0]));
    fds[count] = (struct pollfd){.fd = accept_one(fds[0].fd), .events = POLLIN};
    count++;
}

/* Backwards, so that the last one can take the place of one that has gone. */
static void handle_ready(void)
{
    for (nfds_t i = count - 1; i > 0; i--)
        if (fds[i].revents != 0 && !handle_readable(fds[i].fd))
            fds[i] = fds[--count];
    if (fds[0].revents != 0)
        accept_client();
}

int main(int argc, char **argv)
{
    fds[0] = (struct pollfd){.fd = start_server(argc, argv), .events = POLLIN};
    void (*park)(void) = strcmp(argv[1], "poll") == 0 ? by_poll : by_select;
    while (!stopped) {
        park();
        handle_ready();
    }
    tidy_up();
    return 0;
}
