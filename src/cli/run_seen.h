/* SPDX-License-Identifier: Apache-2.0 */
/* What the command's threads were seen waiting in. A loop that calls epoll_wait(2) by a system call
 * of its own, and not by libc's function, is not watched; the kernel tells that it waits there. */
#ifndef LH_CLI_RUN_SEEN_H
#define LH_CLI_RUN_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lh_run_seen {
    int64_t due_ms; /* CLOCK_MONOTONIC, when to look again; INT64_MAX: no more */
    int64_t wait_ms;
    const char *call; /* of a thread that waited for events; NULL: none was seen */
    char thread[16];  /* its name */
    bool denied;      /* what some thread waits in may not be read */
};

void lh_run_seen_init(struct lh_run_seen *seen);

/* How long to wait for the next look, for poll(2); -1: for ever. */
int lh_run_seen_timeout(const struct lh_run_seen *seen);

/* Looks, if it is time: a few times in all, ever more seldom, at the process and its children. */
void lh_run_seen_look(struct lh_run_seen *seen, pid_t pid);

#endif
