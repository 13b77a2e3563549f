/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of the iteration that runs now: its age, and where its time has gone so far, as the
 * wrappers saw it. Runs on the slot's own thread, also in the sampling signal's handler. */
#ifndef LH_PRELOAD_ITERATION_ACCOUNTS_H
#define LH_PRELOAD_ITERATION_ACCOUNTS_H

#include "preload/state/state.h"

/* The number of the iteration that runs now; 0: before the first park. */
static inline uint64_t lh_iteration_now(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->iteration_id, memory_order_relaxed);
}

/* Whose accounts are there. */
static inline uint64_t lh_accounts_iteration(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->accounts.iteration_id, memory_order_acquire);
}

/* Empties the accounts of an earlier one. */
void lh_accounts_begin(struct lh_slot *slot);

/* Its accounts. */
static inline struct lh_accounts *lh_accounts(struct lh_slot *slot)
{
    if (LH_UNLIKELY(lh_accounts_iteration(slot) != lh_iteration_now(slot)))
        lh_accounts_begin(slot);
    return &slot->accounts;
}

/* Its age in ns, without the time in which the process was suspended. */
uint64_t lh_accounts_age_ns(const struct lh_slot *slot);

/* Adds a call that took so many steps of the counter. */
void lh_accounts_add_call(struct lh_accounts *accounts, uint32_t call, uint64_t elapsed_tsc);

#endif
