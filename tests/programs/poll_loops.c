/* SPDX-License-Identifier: Apache-2.0 */
/* A plain server that parks in poll or select.
 *
 *   poll_loops poll|ppoll|select|pselect sleep|client|nothing|after|epoll
 *
 * What it does wrong at one request: it sleeps, or is a client that polls its own socket; `after`
 * sleeps when the listening socket is closed; `epoll` turns into a loop on epoll, which then polls
 * for a moment and sleeps. */
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "loophound.h"
#include "small_client.h"

static struct pollfd fds[2];
static nfds_t count = 1;

/* The readable ones of fds[] by select: the same answer as poll's. */
static void take_ready(const fd_set *ready)
{
    for (nfds_t i = 0; i < count; i++)
        fds[i].revents = FD_ISSET(fds[i].fd, ready) ? POLLIN : 0;
}

static int wanted(fd_set *set)
{
    FD_ZERO(set);
    for (nfds_t i = 0; i < count; i++)
        FD_SET(fds[i].fd, set);
    return (fds[0].fd > fds[1].fd ? fds[0].fd : fds[1].fd) + 1;
}

static void by_poll(void)
{
    CHECK(poll(fds, count, -1) > 0);
}

static void by_ppoll(void)
{
    CHECK(ppoll(fds, count, NULL, NULL) > 0);
}

static void by_select(void)
{
    fd_set set;
    int top = wanted(&set);
    CHECK(select(top, &set, NULL, NULL, NULL) > 0);
    take_ready(&set);
}

static void by_pselect(void)
{
    fd_set set;
    int top = wanted(&set);
    CHECK(pselect(top, &set, NULL, NULL, NULL, NULL) > 0);
    take_ready(&set);
}

static const struct {
    const char *name;
    void (*park)(void);
} parks[] = {
    {"poll", by_poll}, {"ppoll", by_ppoll}, {"select", by_select}, {"pselect", by_pselect}};

/* Each function sleeps at a place of its own. */
static void sleep_in_handler(void)
{
    wait_200_ms();
    not_the_last_call = 2;
}

static void sleep_after(void)
{
    wait_200_ms();
    not_the_last_call = 3;
}

static void ask_somebody(void)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    struct pollfd answer = {.fd = pair[0], .events = POLLIN};
    CHECK(poll(&answer, 1, 200) == 0);
    close(pair[0]);
    close(pair[1]);
}

static void go_on_with_epoll(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    fds[0].events = 0; /* from here on the array's poll is a block: there is no client */
    CHECK(poll(fds, 1, 200) == 0);
    sleep_after();
    close(set);
}

static void serve(void (*park)(void), const char *mistake)
{
    int requests = 0;
    for (bool served = true; served;) {
        park();
        if (fds[0].revents != 0 && count == 1) {
            fds[1] = (struct pollfd){.fd = accept(fds[0].fd, NULL, NULL), .events = POLLIN};
            count = 2;
        } else if (fds[1].revents != 0) {
            served = answer_request(fds[1].fd);
            if (++requests == MISTAKE)
                loophound_flush(); /* the collector has started: the watchdog has ticks again */
            if (requests == MISTAKE && strcmp(mistake, "sleep") == 0)
                sleep_in_handler();
            if (requests == MISTAKE && strcmp(mistake, "client") == 0)
                ask_somebody();
        }
    }
}

int main(int argc, char **argv)
{
    pthread_t client;
    if (argc != 3)
        return 2;
    fds[0] = (struct pollfd){.fd = listen_with_client(&client), .events = POLLIN};
    for (size_t i = 0; i < sizeof(parks) / sizeof(parks[0]); i++)
        if (strcmp(parks[i].name, argv[1]) == 0)
            serve(parks[i].park, argv[2]);
    if (strcmp(argv[2], "epoll") == 0)
        go_on_with_epoll();
    close(fds[0].fd);
    if (strcmp(argv[2], "after") == 0)
        sleep_after();
    return 0;
}
