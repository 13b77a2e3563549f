/* SPDX-License-Identifier: Apache-2.0 */
/* Event loops that park in poll or select: how they are found.
 *
 * Such a wait carries no epoll set that names a loop, and most calls of poll are no park: a client
 * waits for its one socket. The whole rule, here and in anchor.h; in doubt a loop is missed:
 *
 *   A call site (where the program called poll, ppoll, select or pselect from) is a loop's park
 * from the third wait of one thread there on, when the set holds, to be read, an anchor: a
 * descriptor that is of no use but to a loop. That is
 *     - a listening socket, beside at least one other descriptor; or
 *     - a wake-up: an eventfd, timerfd, signalfd, or a pipe or socket pair whose other end is in
 *       this process too; where the site has been seen both to wait and only to look (timeout 0):
 *       loops do, when they have work left; calls that wait for an answer and can be cancelled by
 *       such a descriptor do not.
 *   A site in a library that has an event loop (origin.h: GLib, Qt, libevent, libev) is its loop's
 * from the first wait on, when the set holds an eventfd. In libcurl, whose transfers look like
 * loops, none is.
 *   The loop is (thread, site, anchor): a wait at the same site without the anchor is a block,
 * which matters for interpreters, where one line of C makes all calls. Only poll's array, when it
 * is the one that held the anchor at the park before, may have lost it for a while (a server that
 * does not accept just now). The loop ends when its thread closes the anchor or ends, as a loop on
 *   epoll ends with its set. An epoll set is the surer sign: where a thread has one, it has no
 *   other park, and a loop found by this rule that then waits on one parks there from then on.
 *
 * This part runs on every thread of the program before each such wait: no memory but the thread's
 * own table and, but for the first wait at a site, no system call. */
#ifndef LH_PRELOAD_LOOP_POLL_SITES_H
#define LH_PRELOAD_LOOP_POLL_SITES_H

#include "preload/state/poll_wait.h"

/* Takes note of a wait. Returns its row when it is time to look at its descriptors
 * (lh_anchor_find), which is seldom: from the third turn on, when something is new, and then ever
 * more seldom. Else NULL. */
const struct lh_poll_site *lh_poll_sites_note(struct lh_poll_site table[LH_POLL_SITES],
                                              const struct lh_poll_wait *wait);

#endif
