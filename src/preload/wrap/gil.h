/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for CPython's GIL. Runs on the loop threads, in the wrapper of such a wait. */
#ifndef LH_PRELOAD_WRAP_GIL_H
#define LH_PRELOAD_WRAP_GIL_H

#include "preload/python/interpreter.h"
#include "preload/state/state.h"

/* CPython gives its GIL up to park and waits for it first thing afterwards, a few milliseconds at a
 * time. Its stall tells that from the first moment on, before the watchdog has looked at it: such a
 * wait, which is about to begin, marks itself. Returns the condition's address. */
static inline uint64_t lh_gil_timed(const void *condition)
{
    struct lh_slot *slot = lh_self.slot;
    uint64_t marked = atomic_load_explicit(&slot->marked, memory_order_relaxed);
    uint64_t seq = atomic_load_explicit(&slot->seq, memory_order_relaxed) + 1;
    if (marked < seq && lh_python_is_runtime_lock((uintptr_t)condition))
        atomic_compare_exchange_strong(&slot->marked, &marked, seq);
    return (uintptr_t)condition;
}

#endif
