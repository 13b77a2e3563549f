/* SPDX-License-Identifier: Apache-2.0 */
/* A server on libevent. PARK: epoll, poll or select. */
/* link: -levent_core */
#include <event2/event.h>

#include "server.h"

static void on_readable(int fd, short events, void *event)
{
    struct event_base *base = event_get_base(event);
    (void)events;
    if (!handle_readable(fd))
        event_free(event);
    if (stopped)
        event_base_loopbreak(base);
}

static void on_client(int listener, short events, void *base)
{
    struct event *event = event_new(base, accept_one(listener), EV_READ | EV_PERSIST, on_readable,
                                    event_self_cbarg());
    (void)events;
    CHECK(event_add(event, NULL) == 0);
}

/* libevent takes the best of epoll, poll and select that is not to be avoided. */
static struct event_base *base_on(const char *park)
{
    struct event_config *config = event_config_new();
    if (strcmp(park, "epoll") != 0)
        event_config_avoid_method(config, "epoll");
    if (strcmp(park, "select") == 0)
        event_config_avoid_method(config, "poll");
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    CHECK(base != NULL && strcmp(event_base_get_method(base), park) == 0);
    return base;
}

int main(int argc, char **argv)
{
    int listener = start_server(argc, argv);
    struct event_base *base = base_on(argv[1]);
    struct event *event = event_new(base, listener, EV_READ | EV_PERSIST, on_client, base);
    CHECK(event_add(event, NULL) == 0);
    event_base_dispatch(base);
    tidy_up();
    return 0;
}
