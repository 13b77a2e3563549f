/* SPDX-License-Identifier: Apache-2.0 */
/* A wait in poll or select, and what a thread keeps of such waits. The rule by which one of them is
 * a loop's park is in loop/poll_sites.h and loop/anchor.h. Plain data. */
#ifndef LH_PRELOAD_STATE_POLL_WAIT_H
#define LH_PRELOAD_STATE_POLL_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>

/* One call of poll or select, as far as the rule looks at it. The pointers are the program's: they
 * are followed by system calls only, for the kernel would say EFAULT where we would crash. */
struct lh_poll_wait {
    uintptr_t site;           /* the program's return address */
    uintptr_t frame;          /* the wrapper's */
    bool looks;               /* with a timeout of 0 */
    uint32_t count;           /* as passed: length of the array, or highest descriptor + 1 */
    const struct pollfd *fds; /* NULL: these three; each may be NULL */
    const fd_set *reads, *writes, *excepts;
};

#define LH_POLL_SITES 4 /* call sites that are followed on one thread */

/* One of them. */
struct lh_poll_site {
    uintptr_t site;
    uint32_t waits; /* waits there; 0: a free row */
    uint32_t shape; /* of the waits when its descriptors were last looked at */
    uint16_t looks_taken;
    uint8_t origin; /* enum lh_origin */
    bool looked;
    bool waited;
};

/* A loop's park in poll or select. */
struct lh_anchor {
    uintptr_t site;             /* where it is called from; 0: there is none */
    const struct pollfd *array; /* poll's array at the latest park */
    uint32_t index;             /* where in it the anchor was */
    int32_t fd;                 /* the anchor, and which file it is: */
    uint64_t inode;
};

#endif
