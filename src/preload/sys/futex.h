/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a word to change, and waking those that wait: futex(2). Any thread, also the
 * watchdog; errno stays.
 *
 * `shared`: the word lies in memory that the collector maps too. Otherwise only threads of this
 * process wait for it, which costs the kernel less. */
#ifndef LH_PRELOAD_SYS_FUTEX_H
#define LH_PRELOAD_SYS_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/units.h"
#include "preload/sys/syscall.h"

/* Wakes all that wait for it. */
static inline void lh_futex_wake(_Atomic uint32_t *word, bool shared)
{
    lh_syscall3(SYS_futex, (long)word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, INT_MAX);
}

/* Waits while *word is `value`; timeout_ns < 0: for ever. May return too early, so that the caller
 * looks again. Returns 0 or a negative errno, -ETIMEDOUT among them. */
static inline long lh_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns,
                                 bool shared)
{
    const struct timespec timeout = {timeout_ns / LH_NS_PER_S, timeout_ns % LH_NS_PER_S};
    return lh_syscall4(SYS_futex, (long)word, shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, value,
                       timeout_ns < 0 ? 0 : (long)&timeout);
}

#endif
