/* SPDX-License-Identifier: Apache-2.0 */
/* Loop threads that rest. See rest.h. */
#include "preload/loop/rest.h"

#include "preload/iteration/ready.h"
#include "preload/iteration/stall.h"

static bool rests(void)
{
    return lh_process != NULL &&
           atomic_load_explicit(&lh_process->rests, memory_order_relaxed) != 0;
}

bool lh_rest_in_park(void)
{
    struct lh_slot *slot = lh_self.slot;
    if (LH_LIKELY(!rests()))
        return false;
    if (slot != NULL) {
        lh_stall_abandon(slot);
        lh_ready_give_up(slot);
        lh_self.slot = NULL;
        lh_self.resting = slot;
        atomic_store(&slot->sp, 0);
        atomic_store(&slot->parked, 1); /* nothing to look at */
    }
    return true;
}

bool lh_rest_ends(int epfd)
{
    struct lh_slot *slot = lh_self.resting;
    lh_self.resting = NULL;
    if (slot == NULL || lh_self.slot != NULL || atomic_load(&slot->tid) == 0)
        return false;
    slot->epfd = epfd;
    lh_stall_begin(slot); /* what it did meanwhile is no iteration */
    lh_self.slot = slot;
    return true;
}
