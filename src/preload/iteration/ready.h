/* SPDX-License-Identifier: Apache-2.0 */
/* Who waited for the loop while a block or stall held it: what the next park finds ready at once.
 *
 * Runs on the loop threads, at the end of an iteration in which something was reported, and at the
 * park that follows. */
#ifndef LH_PRELOAD_ITERATION_READY_H
#define LH_PRELOAD_ITERATION_READY_H

#include "preload/state/state.h"

/* A report of this thread is being written: may its victims be told, by the next park? True: they
 * will be, or that they are not known, unless the loop never parks again. */
bool lh_ready_await(struct lh_slot *slot);

/* The park on the epoll set `epfd` begins. True: something is ready, so that it ends at once, and
 * what it returns is to be handed to lh_ready_count(). Otherwise all has been told. */
bool lh_ready_probe(struct lh_slot *slot, int epfd);

/* What that park returned: how many descriptors, of `most` at most, or -1. errno stays. */
void lh_ready_count(struct lh_slot *slot, long returned, long most);

/* The same before a park in poll or select: all of it. */
void lh_ready_count_wait(struct lh_slot *slot, const struct lh_poll_wait *wait);

/* Nobody knows, nor will: it parks in another way, or the loop ends. */
void lh_ready_give_up(struct lh_slot *slot);

#endif
