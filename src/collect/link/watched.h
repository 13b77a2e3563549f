/* SPDX-License-Identifier: Apache-2.0 */
/* One watched program: its ring, the thread that drains it, its stacks and its sink. */
#ifndef LH_COLLECT_LINK_WATCHED_H
#define LH_COLLECT_LINK_WATCHED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "collect/link/run_totals.h"
#include "collect/report/judge.h"
#include "collect/sink/output.h"
#include "common/options.h"

struct lh_watched;

struct lh_watched_setup {
    struct ucred peer;                /* of the socket; pid 0: not visible from here */
    int ring_fd;                      /* taken over, as is maps_fd, whatever happens */
    int maps_fd;                      /* -1: the program sees no /proc */
    bool adopted;                     /* the program itself started this collector */
    const struct lh_options *imposed; /* of another user's program: where its reports go; or NULL */
    int ended_fd;                     /* an eventfd that is raised when the thread has ended */
    struct lh_outputs *outputs;
    int kept_fd;            /* a file that gets all in JSON, too; -1: none does */
    struct lh_judge *judge; /* of the run; NULL: by the program's own options */
};

/* All below: the collector's driving thread. */

/* Checks what was sent, maps the ring, tells the program that it is read, starts the thread.
 * Returns 0, or a negative errno: -EPERM the ring could shrink, -EPROTO it is none of this version,
 * -EINVAL the other descriptor is no /proc/PID/maps, or there is none and no pidfd either, -EBUSY
 * the program reads the ring itself, -ENOMEM and those of mmap and pthread_create.
 */
int lh_watched_start(struct lh_watched **watched, const struct lh_watched_setup *setup);

/* A descriptor that is readable once the program has ended; -1: could not be had. */
int lh_watched_pidfd(const struct lh_watched *watched);

/* Has the program ended, or replaced its image by execve? */
bool lh_watched_is_gone(const struct lh_watched *watched);

/* Lets the thread write what is complete and the summary, and end. Returns at once. */
void lh_watched_stop(struct lh_watched *watched);

/* Has the thread ended? Then lh_watched_free does not wait. */
bool lh_watched_has_ended(const struct lh_watched *watched);

/* Waits until `deadline_ns` (CLOCK_MONOTONIC) for the thread. Returns 0 or -ETIMEDOUT. */
int lh_watched_wait(struct lh_watched *watched, int64_t deadline_ns);

/* After a timeout: lets the thread be; nothing it uses may be freed any more. Returns how many
 * records are left unwritten. */
uint64_t lh_watched_abandon(struct lh_watched *watched);

/* Adds the program's own totals to `run`, except `processes`. */
void lh_watched_count(const struct lh_watched *watched, struct lh_run_totals *run);

void lh_watched_free(struct lh_watched *watched); /* waits for the thread */

#endif
