/* SPDX-License-Identifier: Apache-2.0 */
/* The collector. Runs on its driving thread; nothing waits but lh_collector_finish. */
#include "collect/link/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collect/link/peer.h"
#include "collect/sys/clock.h"
#include "collect/sys/sigbus.h"
#include "common/text.h"
#include "common/units.h"

#define BACKLOG       SOMAXCONN /* processes that come at the same moment */
#define STEP_EVENTS   64        /* most events in one step */
#define FINISH_EVENTS 10000     /* most events before the end: somebody may go on and on */
#define FREE_WAIT_MS  1000      /* for those that were not finished before */

/* Without a free descriptor the connection would stay ready for ever: take it, to end it. */
static void refuse_one(struct lh_collector *collector)
{
    close(collector->spare_fd);
    int fd = accept4(collector->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        close(fd);
    collector->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!collector->said_refused)
        lh_output_say("too many programs at once: one is not watched");
    collector->said_refused = true;
}

static void on_connection(struct lh_collector *collector, struct lh_peer *none)
{
    (void)none;
    int fd = accept4(collector->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        (void)lh_peer_add(collector, fd, false);
    else if (errno == EMFILE || errno == ENFILE)
        refuse_one(collector);
}

/* One event at a time: what it removes cannot be the subject of another that is already in hand. */
static int serve_events(struct lh_collector *collector, unsigned most)
{
    struct epoll_event event;
    while (most-- > 0) {
        int count = epoll_wait(collector->epoll_fd, &event, 1, 0);
        if (count == 0 || (count < 0 && errno == EINTR))
            return 0;
        if (count < 0)
            return -errno;
        const struct lh_watch *source = event.data.ptr;
        source->ready(collector, source->peer);
    }
    return 0;
}

static int open_descriptors(struct lh_collector *collector)
{
    collector->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    collector->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    collector->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    collector->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (collector->epoll_fd < 0 || collector->ended_fd < 0 || collector->timer_fd < 0)
        return -errno;
    collector->ended.ready = lh_peers_reap;
    collector->timer.ready = lh_peers_check;
    collector->listening.ready = on_connection;
    int error = lh_peer_watch(collector, collector->ended_fd, &collector->ended);
    return error != 0 ? error : lh_peer_watch(collector, collector->timer_fd, &collector->timer);
}

struct lh_collector *lh_collector_new(void)
{
    struct lh_collector *collector = calloc(1, sizeof(*collector));
    if (collector == NULL)
        return NULL;
    lh_sigbus_guard();
    collector->listen_fd = -1;
    collector->kept_fd = -1;
    collector->outputs = lh_outputs_new();
    if (open_descriptors(collector) == 0 && collector->outputs != NULL)
        return collector;
    lh_collector_free(collector);
    return NULL;
}

void lh_collector_free(struct lh_collector *collector)
{
    if (collector == NULL)
        return;
    lh_collector_finish(collector, FREE_WAIT_MS);
    const int fds[] = {collector->epoll_fd, collector->timer_fd, collector->spare_fd,
                       collector->listen_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (collector->path[0] != '\0')
        unlink(collector->path);
    if (!collector->has_abandoned) { /* else a thread may still use them */
        close(collector->ended_fd);
        lh_outputs_free(collector->outputs);
    }
    free(collector);
}

int lh_collector_listen(struct lh_collector *collector, const char *path,
                        const struct lh_options *options, struct lh_judge *judge)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!lh_text_copy(address.sun_path, sizeof(address.sun_path), path))
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    mode_t mask = umask(geteuid() == 0 ? 0111 : 0177);
    int error = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
    umask(mask);
    if (error != 0) {
        close(fd);
        return error;
    }
    collector->listen_fd = fd;
    collector->options = *options;
    collector->judge = judge;
    (void)lh_text_copy(collector->path, sizeof(collector->path), path);
    if (listen(fd, BACKLOG) != 0)
        return -errno;
    return lh_peer_watch(collector, fd, &collector->listening);
}

void lh_collector_keep(struct lh_collector *collector, int fd)
{
    collector->kept_fd = fd;
}

int lh_collector_adopt(struct lh_collector *collector, int socket_fd)
{
    collector->has_adopted = true;
    if (fcntl(socket_fd, F_SETFD, FD_CLOEXEC) != 0)
        return -errno;
    return lh_peer_add(collector, socket_fd, true);
}

int lh_collector_fd(const struct lh_collector *collector)
{
    return collector->epoll_fd;
}

int lh_collector_step(struct lh_collector *collector)
{
    return serve_events(collector, STEP_EVENTS);
}

bool lh_collector_idle(const struct lh_collector *collector)
{
    return collector->has_adopted && collector->peers == NULL;
}

static void finish_peer(struct lh_collector *collector, struct lh_peer *peer, int64_t deadline_ns)
{
    if (peer->watched != NULL && lh_watched_wait(peer->watched, deadline_ns) != 0) {
        lh_watched_count(peer->watched, &collector->done);
        collector->done.dropped += lh_watched_abandon(peer->watched);
        collector->has_abandoned = true;
        peer->watched = NULL;
    }
    lh_peer_remove(collector, peer);
}

void lh_collector_finish(struct lh_collector *collector, unsigned timeout_ms)
{
    int64_t deadline_ns = lh_monotonic_ns() + timeout_ms * LH_NS_PER_MS;
    (void)serve_events(collector, FINISH_EVENTS);
    for (struct lh_peer *peer = collector->peers; peer != NULL; peer = peer->next)
        if (peer->watched != NULL)
            lh_watched_stop(peer->watched);
    while (collector->peers != NULL)
        finish_peer(collector, collector->peers, deadline_ns);
    if (collector->has_abandoned)
        lh_output_say("gave up waiting for a slow output: the reports left are dropped");
}

void lh_collector_count(const struct lh_collector *collector, struct lh_run_totals *totals)
{
    *totals = collector->done;
    for (const struct lh_peer *peer = collector->peers; peer != NULL; peer = peer->next)
        if (peer->watched != NULL)
            lh_watched_count(peer->watched, totals);
}
