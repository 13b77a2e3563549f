/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: programs that said hello. Runs on the collector's driving thread; nothing here waits.
 *
 * A peer is its connection while that is open, and once it has sent its ring the watched process.
 * One whose connection has ended is looked at every LOOK_MS until it is gone. */
#include "collect/link/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collect/link/hello.h"
#include "common/units.h"

#define LOOK_MS 500

int lh_peer_watch(struct lh_collector *collector, int fd, struct lh_watch *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(collector->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static void unwatch(struct lh_collector *collector, int fd)
{
    epoll_ctl(collector->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void set_timer(struct lh_collector *collector, bool on)
{
    long ns = on ? LOOK_MS * LH_NS_PER_MS : 0;
    const struct itimerspec times = {.it_value.tv_nsec = ns, .it_interval.tv_nsec = ns};
    timerfd_settime(collector->timer_fd, 0, &times, NULL);
}

static void stop_watched(struct lh_collector *collector, struct lh_peer *peer)
{
    int pidfd = lh_watched_pidfd(peer->watched);
    if (pidfd >= 0)
        unwatch(collector, pidfd);
    lh_watched_stop(peer->watched);
}

static void look_at(struct lh_collector *collector, struct lh_peer *peer)
{
    if (lh_watched_is_gone(peer->watched))
        stop_watched(collector, peer);
}

static void close_connection(struct lh_collector *collector, struct lh_peer *peer)
{
    if (peer->fd < 0)
        return;
    unwatch(collector, peer->fd);
    close(peer->fd);
    peer->fd = -1;
}

/* `peer` is not to be used afterwards. */
void lh_peer_remove(struct lh_collector *collector, struct lh_peer *peer)
{
    struct lh_peer **link = &collector->peers;
    while (*link != peer)
        link = &(*link)->next;
    *link = peer->next;
    close_connection(collector, peer);
    if (peer->watched != NULL) {
        lh_watched_count(peer->watched, &collector->done);
        lh_watched_free(peer->watched);
    }
    free(peer);
}

/* The end of a connection is not the end of the program: before a fork the library gives it up. */
static void end_connection(struct lh_collector *collector, struct lh_peer *peer)
{
    close_connection(collector, peer);
    if (peer->watched == NULL) {
        lh_peer_remove(collector, peer);
        return;
    }
    look_at(collector, peer);
    set_timer(collector, true);
}

void lh_peers_check(struct lh_collector *collector, struct lh_peer *none)
{
    uint64_t ticks;
    bool any = false;
    (void)none;
    if (read(collector->timer_fd, &ticks, sizeof(ticks)) < 0)
        return;
    for (struct lh_peer *peer = collector->peers; peer != NULL; peer = peer->next)
        if (peer->fd < 0) {
            any = true;
            look_at(collector, peer);
        }
    set_timer(collector, any);
}

static void on_death(struct lh_collector *collector, struct lh_peer *peer)
{
    stop_watched(collector, peer);
}

void lh_peers_reap(struct lh_collector *collector, struct lh_peer *none)
{
    uint64_t count;
    (void)none;
    if (read(collector->ended_fd, &count, sizeof(count)) < 0)
        return;
    struct lh_peer *next;
    for (struct lh_peer *peer = collector->peers; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->watched != NULL && lh_watched_has_ended(peer->watched))
            lh_peer_remove(collector, peer);
    }
}

static void say_refused(struct lh_collector *collector, const struct lh_peer *peer, int error)
{
    if (collector->said_refused)
        return;
    collector->said_refused = true;
    lh_output_say("process %d cannot be watched: %s", peer->credentials.pid,
                  error == -EPROTO ? "its library is of another version, or damaged"
                                   : strerror(-error));
}

/* The socket knows the pid as it is here; the hello only as it is where the program runs. */
static void count_process(struct lh_collector *collector, const struct lh_peer *peer, uint32_t said)
{
    uint32_t pid = peer->credentials.pid > 0 ? (uint32_t)peer->credentials.pid : said;
    if (pid >= LH_PID_LIMIT)
        return;
    uint64_t bit = 1ULL << (pid % 64);
    if ((collector->seen[pid / 64] & bit) == 0)
        collector->done.processes++;
    collector->seen[pid / 64] |= bit;
}

static int start_watching(struct lh_collector *collector, struct lh_peer *peer,
                          const struct lh_hello_message *message)
{
    const struct lh_watched_setup setup = {
        .peer = peer->credentials,
        .ring_fd = message->ring_fd,
        .maps_fd = message->maps_fd,
        .adopted = peer->adopted,
        .imposed = peer->credentials.uid != geteuid() ? &collector->options : NULL,
        .ended_fd = collector->ended_fd,
        .outputs = collector->outputs,
        .kept_fd = collector->kept_fd,
        .judge = collector->judge,
    };
    int error = lh_watched_start(&peer->watched, &setup);
    if (error != 0)
        return error;
    int pidfd = lh_watched_pidfd(peer->watched);
    if (pidfd >= 0)
        error = lh_peer_watch(collector, pidfd, &peer->death);
    else
        look_at(collector, peer);
    return error;
}

static void on_message(struct lh_collector *collector, struct lh_peer *peer)
{
    struct lh_hello_message message;
    int result = lh_hello_receive(peer->fd, &message);
    if (result == -EAGAIN || result == -EINTR)
        return;
    if (result == 1)
        count_process(collector, peer, message.hello.pid);
    if (result == 1 && message.ring_fd < 0)
        return;
    if (result == 1 && peer->watched == NULL) {
        result = start_watching(collector, peer, &message);
        if (result == 0)
            return;
    } else if (result == 1) { /* a second ring over one connection: none of ours does that */
        close(message.ring_fd);
        if (message.maps_fd >= 0)
            close(message.maps_fd);
        result = -EPROTO;
    }
    if (result == -EPROTO || (result < 0 && result != -EBUSY && peer->watched == NULL))
        say_refused(collector, peer, result);
    end_connection(collector, peer);
}

/* Takes over `fd`, also when it fails. */
int lh_peer_add(struct lh_collector *collector, int fd, bool adopted)
{
    struct lh_peer *peer = calloc(1, sizeof(*peer));
    socklen_t size = sizeof(peer->credentials);
    if (peer == NULL) {
        close(fd);
        return -ENOMEM;
    }
    peer->fd = fd;
    peer->adopted = adopted;
    peer->connection = (struct lh_watch){on_message, peer};
    peer->death = (struct lh_watch){on_death, peer};
    int error = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer->credentials, &size) != 0)
        error = -errno;
    else if (!adopted && peer->credentials.uid != geteuid() && geteuid() != 0)
        error = -EACCES;
    else
        error = lh_peer_watch(collector, fd, &peer->connection);
    if (error != 0) {
        close(fd);
        free(peer);
        return error;
    }
    peer->next = collector->peers;
    collector->peers = peer;
    return 0;
}
