/* A libev program on poll or select whose handler blocks its loop, or does not.
 *
 *   ev_server poll|select sleep|nothing
 */
/* link: -lev */
#include <ev.h>
#include <string.h>

#include "small_client.h"

static int makes_mistake;
static int requests;

static void sleep_in_handler(void)
{
    wait_40_ms();
    not_the_last_call = 2;
}

static void on_request(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    if (!answer_request(watcher->fd))
        ev_break(loop, EVBREAK_ALL);
    if (++requests == MISTAKE && makes_mistake)
        sleep_in_handler();
}

static void on_client(struct ev_loop *loop, ev_io *watcher, int events)
{
    static ev_io connection;
    (void)events;
    ev_io_init(&connection, on_request, accept(watcher->fd, NULL, NULL), EV_READ);
    ev_io_start(loop, &connection);
}

int main(int argc, char **argv)
{
    pthread_t client;
    ev_io listener;
    if (argc != 3)
        return 2;
    makes_mistake = strcmp(argv[2], "sleep") == 0;
    struct ev_loop *loop =
        ev_loop_new(strcmp(argv[1], "poll") == 0 ? EVBACKEND_POLL : EVBACKEND_SELECT);
    ev_io_init(&listener, on_client, listen_with_client(&client), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    ev_loop_destroy(loop);
    return 0;
}
