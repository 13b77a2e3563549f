/* SPDX-License-Identifier: Apache-2.0 */
/* Event loops that park in io_uring_enter: how they are found. Runs on the program's threads; raw
 * system calls.
 *
 * A program may as well use a ring to read a file and wait until it is read: most such waits are no
 * park. The whole rule; in doubt a loop is missed:
 *
 *   A ring is a loop's from the third wait of one thread there on, when the wait leaves something
 * under way that is of no use but to a loop. That is, as the kernel lists it (fdinfo of the ring,
 * "PollList"): an accept, or a read or poll of what is not readable yet, that had been submitted
 * before; while more is under way than is waited for (min_complete). A client that waits for its
 * answer waits for all that it has submitted.
 *   The loop is (thread, ring); it ends when the ring is closed. On a thread that has an epoll set
 * a wait for a ring is a block: a loop that has both watches the ring by its set. */
#ifndef LH_PRELOAD_LOOP_URING_H
#define LH_PRELOAD_LOOP_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A wait by io_uring_enter(2). */
struct lh_ring_wait {
    int fd;
    uint32_t to_submit;
    uint32_t min_complete;
};

/* What a ring has under way that waits until a descriptor is ready. */
struct lh_ring_polls {
    bool in_list; /* the line is inside the list */
    bool anchor;  /* one of them is of no use but to a loop */
    uint32_t armed;
};

/* Takes the next line of the ring's fdinfo, not NUL-terminated. */
void lh_ring_polls_line(struct lh_ring_polls *polls, const char *line, size_t length);

/* Does this wait leave something to a loop under way? */
bool lh_ring_polls_are_loops(const struct lh_ring_polls *polls, const struct lh_ring_wait *wait);

/* The same, asking the kernel. False also where that is not possible. */
bool lh_ring_is_loops(const struct lh_ring_wait *wait);

#endif
