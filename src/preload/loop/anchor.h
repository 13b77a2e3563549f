/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor by which a loop on poll or select is known: see poll_sites.h for the rule. Runs on
 * the program's threads; raw system calls, the program's memory read safely; errno stays. */
#ifndef LH_PRELOAD_LOOP_ANCHOR_H
#define LH_PRELOAD_LOOP_ANCHOR_H

#include "preload/state/poll_wait.h"

/* Looks for an anchor among the descriptors of a wait at a site where it waits like a loop. False,
 * and `anchor` as it was: there is none. */
bool lh_anchor_find(struct lh_anchor *anchor, const struct lh_poll_wait *wait,
                    const struct lh_poll_site *site);

/* Is this wait the park of that loop? */
bool lh_anchor_holds(struct lh_anchor *anchor, const struct lh_poll_wait *wait);

/* Is the anchor still open, and the same file? */
bool lh_anchor_lives(const struct lh_anchor *anchor);

#endif
