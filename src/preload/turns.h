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
 *       such a descriptor do not. Not so in libcurl, whose transfers look like loops.
 *   The loop is (thread, site, anchor): a wait at the same site without the anchor is a block,
 * which matters for interpreters, where one line of C makes all calls. Only poll's array, when it
 * is the one that held the anchor at the park before, may have lost it for a while (a server that
 * does not accept just now). The loop ends when its thread closes the anchor or ends, as a loop on
 *   epoll ends with its set. An epoll set is the surer sign: where a thread has one, it has no
 *   other park, and a loop found by this rule that then waits on one parks there from then on.
 *
 * This part runs on every thread of the program before each such wait: no system call, no memory
 * but the thread's own table. */
#ifndef LH_PRELOAD_TURNS_H
#define LH_PRELOAD_TURNS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>

/* One call of poll or select, as far as the rule looks at it. The pointers are the program's: they
 * are followed by system calls only, for the kernel would say EFAULT where we would crash. */
struct lh_wait {
    uintptr_t site;           /* the program's return address */
    uintptr_t frame;          /* the wrapper's */
    bool looks;               /* with a timeout of 0 */
    uint32_t count;           /* as passed: length of the array, or highest descriptor + 1 */
    const struct pollfd *fds; /* NULL: these three; each may be NULL */
    const fd_set *reads, *writes, *excepts;
};

#define LH_TURN_SITES 4 /* call sites that are followed on one thread */

struct lh_turns {
    uintptr_t site;
    uint32_t turns; /* waits there; 0: a free row */
    uint32_t shape; /* of the waits when its descriptors were last looked at */
    uint16_t looks_taken;
    bool looked;
    bool waited;
};

/* Takes note of a wait. Returns its row when it is time to look at its descriptors
 * (lh_anchor_find), which is seldom: from the third turn on, when something is new, and then ever
 * more seldom. Else NULL. */
const struct lh_turns *lh_turns_note(struct lh_turns table[LH_TURN_SITES],
                                     const struct lh_wait *wait);

#endif
