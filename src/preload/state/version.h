/* SPDX-License-Identifier: Apache-2.0 */
/* What one thread writes, and others copy while it may be written: a version stands beside it,
 * which is odd meanwhile. One writer at a time; it is never kept waiting, and may be a signal
 * handler or the watchdog. Readers copy, and then ask whether that was one version. Inlined; no
 * state. */
#ifndef LH_PRELOAD_STATE_VERSION_H
#define LH_PRELOAD_STATE_VERSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What is written from here on is seen by nobody who does not see the version, too. It may be odd
 * already: a writer that never came to its end. */
static inline void lh_version_begin(_Atomic uint32_t *version)
{
    uint32_t now = atomic_load_explicit(version, memory_order_relaxed);
    atomic_store_explicit(version, now | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static inline void lh_version_end(_Atomic uint32_t *version)
{
    uint32_t now = atomic_load_explicit(version, memory_order_relaxed);
    atomic_store_explicit(version, now + 1, memory_order_release);
}

/* Before the copy. */
static inline uint32_t lh_version_now(const _Atomic uint32_t *version)
{
    return atomic_load_explicit(version, memory_order_acquire);
}

/* After it: was all of it of that version? */
static inline bool lh_version_is(const _Atomic uint32_t *version, uint32_t copied)
{
    atomic_thread_fence(memory_order_acquire);
    return copied % 2 == 0 && atomic_load_explicit(version, memory_order_relaxed) == copied;
}

#endif
