/* SPDX-License-Identifier: Apache-2.0 */
/* A server on libev. PARK: epoll, poll or select. */
/* link: -lev */
#include <ev.h>

#include "server.h"

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    if (!handle_readable(watcher->fd)) {
        ev_io_stop(loop, watcher);
        free(watcher);
    }
    if (stopped)
        ev_break(loop, EVBREAK_ALL);
}

static void on_client(struct ev_loop *loop, ev_io *listener, int events)
{
    ev_io *watcher = malloc(sizeof(*watcher));
    (void)events;
    CHECK(watcher != NULL);
    ev_io_init(watcher, on_readable, accept_one(listener->fd), EV_READ);
    ev_io_start(loop, watcher);
}

static unsigned backend_of(const char *park)
{
    if (strcmp(park, "epoll") == 0)
        return EVBACKEND_EPOLL;
    return strcmp(park, "poll") == 0 ? EVBACKEND_POLL : EVBACKEND_SELECT;
}

int main(int argc, char **argv)
{
    ev_io listener;
    ev_io_init(&listener, on_client, start_server(argc, argv), EV_READ);
    struct ev_loop *loop = ev_loop_new(backend_of(argv[1]));
    CHECK(loop != NULL);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    tidy_up();
    return 0;
}
