/* SPDX-License-Identifier: Apache-2.0 */
/* Words that a ring shares with its program: futex(2). Any thread of the collector. */
#ifndef LH_COLLECT_SYS_FUTEX_H
#define LH_COLLECT_SYS_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline void lh_futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Waits while *word is `value`; `most_ns`: less than a second. */
static inline void lh_futex_wait_for(_Atomic uint32_t *word, uint32_t value, int64_t most_ns)
{
    const struct timespec most = {.tv_nsec = most_ns};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &most, NULL, 0);
}

#endif
