/* SPDX-License-Identifier: Apache-2.0 */
/* A watched program from the inside, for the two files that drive it: watched.c on the collector's
 * driving thread, watched_thread.c on the thread of the ring. */
#ifndef LH_COLLECT_LINK_WATCHED_THREAD_H
#define LH_COLLECT_LINK_WATCHED_THREAD_H

#include <pthread.h>
#include <sys/socket.h>

#include "collect/link/rights.h"
#include "collect/link/ring_thread.h"
#include "collect/report/judge.h"
#include "collect/report/reporter.h"
#include "collect/sink/output.h"
#include "collect/sink/sink.h"
#include "collect/stack/stack.h"

struct lh_watched {
    struct lh_ring *ring;   /* shared */
    struct lh_ring *header; /* private, checked */
    struct ucred peer;
    int pidfd;
    int maps_fd;  /* to see whether the image is still there */
    int ended_fd; /* not ours */
    struct lh_outputs *outputs;
    struct lh_output *output;
    struct lh_output *kept; /* NULL: none */
    struct lh_sink *sink;
    struct lh_stacks *stacks;
    struct lh_judge *judge;
    bool owns_judge;
    struct lh_reporter *reporter;
    pthread_t thread;
    bool has_thread;
    _Atomic bool stop;
    _Atomic uint32_t ended;  /* a futex */
    _Atomic uint64_t lost;   /* reports that were in the ring and did not come out */
    _Atomic uint64_t blocks; /* without an end; not in the ring's totals */
    _Atomic uint64_t stalls; /* as above */

    /* The thread's own. */
    _Atomic uint64_t position; /* in the ring; read by lh_watched_abandon too */
    bool summary_written;
    bool said_bad;
    uint32_t given_up; /* see lh_memory_give_up() */
    struct lh_rights rights;
    struct lh_ring_mark mark;
    struct lh_record record;
};

/* The thread of the ring, whole. `argument` is a struct lh_watched. */
void *lh_watched_serve(void *argument);

/* Before there is one: goes on where an earlier reader of the ring stopped. What that one took and
 * did not live to write is lost. */
void lh_watched_take_up(struct lh_watched *watched);

/* Any thread: how many records were begun and not yet taken, whatever the ring's head says. */
uint64_t lh_watched_left(const struct lh_watched *watched);

#endif
