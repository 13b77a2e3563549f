/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) and select(2) in the forms that every processor has. Any thread; raw system calls, so
 * that errno stays. */
#ifndef LH_PRELOAD_SYS_POLL_H
#define LH_PRELOAD_SYS_POLL_H

#include <poll.h>
#include <stdint.h>
#include <sys/select.h>
#include <time.h>

#include "common/units.h"
#include "preload/sys/syscall.h"

/* ppoll(2): waits at most so long; with 0 it only looks. Without descriptors it is a pause. Returns
 * how many are ready, or a negative error number. */
static inline long lh_poll(struct pollfd *fds, uint32_t count, int64_t most_ns)
{
    struct timespec most = {.tv_sec = most_ns / LH_NS_PER_S, .tv_nsec = most_ns % LH_NS_PER_S};
    return lh_syscall5(SYS_ppoll, (long)fds, count, (long)&most, 0, 0);
}

/* pselect6(2) that only looks; what is ready is written over the sets. Returns as lh_poll(). */
static inline long lh_select(uint32_t count, fd_set *reads, fd_set *writes, fd_set *excepts)
{
    struct timespec now = {0, 0};
    return lh_syscall6(SYS_pselect6, count, (long)reads, (long)writes, (long)excepts, (long)&now,
                       0);
}

#endif
