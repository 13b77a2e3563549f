/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of an iteration. See accounts.h: raw system calls only, no malloc, no locks. */
#include "preload/iteration/accounts.h"

#include <string.h>

#include "preload/state/in_loop.h"
#include "preload/state/suspends.h"
#include "preload/sys/clock.h"
#include "preload/sys/signals.h"

/* Our handler may want them too: no signal between. */
void lh_accounts_begin(struct lh_slot *slot)
{
    struct lh_accounts *accounts = &slot->accounts;
    uint64_t signals = lh_signals_block();
    if (lh_accounts_iteration(slot) != lh_iteration_now(slot)) {
        memset(accounts, 0, sizeof(*accounts));
        atomic_store_explicit(&accounts->iteration_id, lh_iteration_now(slot),
                              memory_order_release);
    }
    lh_signals_restore(signals);
}

uint64_t lh_accounts_age_ns(const struct lh_slot *slot)
{
    uint64_t now = lh_in_loop_end(slot);
    uint64_t ns = now > slot->iteration_start ? lh_counter_to_ns(now - slot->iteration_start) : 0;
    return ns - lh_suspends_within(slot->iteration_start, ns);
}

/* A new call takes the place of the one with the least time, when the list is full. */
void lh_accounts_add_call(struct lh_accounts *accounts, uint32_t call, uint64_t elapsed_tsc)
{
    struct lh_call_sum *least = &accounts->calls[0];
    for (uint32_t i = 0; i < accounts->call_count; i++) {
        struct lh_call_sum *sum = &accounts->calls[i];
        if (sum->call == call) {
            sum->count++;
            sum->tsc += elapsed_tsc;
            return;
        }
        if (sum->tsc < least->tsc)
            least = sum;
    }
    if (accounts->call_count < LH_STALL_CALLS)
        least = &accounts->calls[accounts->call_count++];
    else if (elapsed_tsc < least->tsc)
        return;
    *least = (struct lh_call_sum){.call = call, .count = 1, .tsc = elapsed_tsc};
}
