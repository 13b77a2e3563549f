/* SPDX-License-Identifier: Apache-2.0 */
/* The collector's inside: its peers, which are the programs that said hello.
 *
 * All of it runs on the driving thread; nothing here waits. */
#ifndef LH_COLLECT_LINK_PEER_H
#define LH_COLLECT_LINK_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "collect/link/run_totals.h"
#include "collect/link/watched.h"
#include "collect/sink/output.h"
#include "common/options.h"

#define LH_PID_LIMIT (1u << 22) /* pids are below it: proc(5), pid_max */

struct lh_collector;
struct lh_peer;

/* What an event is about; `peer` is NULL where it is about the collector itself. */
struct lh_watch {
    void (*ready)(struct lh_collector *collector, struct lh_peer *peer);
    struct lh_peer *peer;
};

struct lh_peer {
    struct lh_peer *next;
    struct lh_watch connection;
    struct lh_watch death;
    int fd; /* of the connection; -1: it has ended */
    bool adopted;
    struct ucred credentials;
    struct lh_watched *watched; /* NULL: no ring yet */
};

struct lh_collector {
    int epoll_fd;
    int listen_fd;
    struct lh_judge *judge;    /* likewise; NULL: each program's own */
    struct lh_options options; /* with listen_fd: those of `loophound run` */
    int kept_fd;               /* lh_collector_keep(); -1: none */
    int ended_fd;              /* eventfd: a thread of a ring has ended */
    int timer_fd;              /* runs while there is a peer to look at */
    int spare_fd;              /* given up for a moment where there are no descriptors left */
    struct lh_watch listening;
    struct lh_watch ended;
    struct lh_watch timer;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* of listen_fd; "": none */
    struct lh_peer *peers;
    struct lh_outputs *outputs;
    bool has_adopted;
    bool has_abandoned; /* threads are left that use the outputs */
    bool said_refused;
    struct lh_run_totals done;        /* of peers that are no more */
    uint64_t seen[LH_PID_LIMIT / 64]; /* pids that said hello */
};

/* Calls source->ready whenever `fd` is readable. Returns 0 or a negative errno. */
int lh_peer_watch(struct lh_collector *collector, int fd, struct lh_watch *source);

/* Makes a peer of a connection, which it takes over, also when it fails. Returns 0, -EACCES (of
 * another user), -ENOMEM, or what the socket says. */
int lh_peer_add(struct lh_collector *collector, int fd, bool adopted);

/* Counts what is left of it, waits for its thread, frees it. */
void lh_peer_remove(struct lh_collector *collector, struct lh_peer *peer);

/* The events of the timer and of ended threads. */
void lh_peers_check(struct lh_collector *collector, struct lh_peer *none);
void lh_peers_reap(struct lh_collector *collector, struct lh_peer *none);

#endif
