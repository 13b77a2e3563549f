/* SPDX-License-Identifier: Apache-2.0 */
/* A wait for descriptors that is no park: what it waits for, and how long. Any thread. */
#ifndef LH_PRELOAD_STATE_WAITING_H
#define LH_PRELOAD_STATE_WAITING_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>
#include <time.h>

#include "common/record.h"
#include "preload/state/poll_wait.h"

/* How many descriptors, and the first of them. */
struct lh_waited {
    uint32_t count;
    int32_t first[LH_WAITED_FIRST];
};

/* The operand of such a call: on the wrapper's stack, alive as long as the call is in flight. */
struct lh_waiting {
    int64_t timeout_ns;             /* negative: for ever … */
    const struct timespec *timeout; /* … or where that stands; NULL: above */
    const struct pollfd *array;     /* of poll, and how long; or NULL */
    uint32_t length;
    int32_t epfd;             /* an epoll set, or -1 */
    struct lh_waited of_sets; /* of select, which writes its answer over its question */
};

#define LH_FOR_EVER (-1)

/* Valid until the end of the enclosing block (C11 6.5.2.5). */
#define LH_WAITING_ARRAY(fds, count, timeout)                                                      \
    ((uintptr_t) & (struct lh_waiting){timeout, .epfd = -1, .array = (fds), .length = (count)})
#define LH_WAITING_SET(fd, timeout) ((uintptr_t) & (struct lh_waiting){timeout, .epfd = (fd)})
#define LH_WAITING_SETS(...)                                                                       \
    ((uintptr_t)lh_waiting_for_sets(&(struct lh_waiting){.epfd = -1}, __VA_ARGS__))
/* A time-out of these: by value, and by address. */
#define LH_WITHIN_NS(ns)   .timeout_ns = (ns)
#define LH_WITHIN(address) .timeout_ns = LH_FOR_EVER, .timeout = (address)

/* Calls `note` for each descriptor of the array or the sets, which may come more than once. What
 * cannot be read is left out. */
void lh_waiting_each(const struct lh_poll_wait *wait, void (*note)(void *to, int fd, bool reads),
                     void *to);

/* Notes what select waits for, unless it only looks. Returns its address. errno stays. */
struct lh_waiting *lh_waiting_for_sets(struct lh_waiting *waiting, int count, const fd_set *reads,
                                       const fd_set *writes, const fd_set *excepts,
                                       int64_t timeout_ns, const struct timespec *timeout);

/* Of an operand, whose wait may be over; `own` as for lh_resource_fill(). 0 descriptors: it waits
 * for none, or they cannot be read. Returns the time-out in ns, negative: for ever. */
int64_t lh_waiting_read(uint64_t operand, bool own, struct lh_waited *waited);

#endif
