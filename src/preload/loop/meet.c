/* SPDX-License-Identifier: Apache-2.0 */
/* A thread meets the slot that the watchdog took for it. See meet.h. Runs on the program's threads,
 * in signal handlers too: raw system calls only, errno stays. */
#include "preload/loop/meet.h"

#include "preload/state/meet.h"
#include "preload/state/state.h"
#include "preload/sys/syscall.h"

static struct lh_slot *find_own(void)
{
    uint32_t tid = (uint32_t)lh_syscall0(SYS_gettid);
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        if (atomic_load(&slot->tid) == tid && atomic_load(&slot->inlined.is) != 0)
            return slot;
    }
    return NULL;
}

/* No thread asks twice for the same loops. Its end need not be heard of: the watchdog looks. */
static bool meet(void)
{
    uint32_t loops = lh_process != NULL ? atomic_load(&lh_process->inline_loops) : 0;
    if (lh_self.slot != NULL || lh_self.asked == loops)
        return false;
    lh_self.asked = loops;
    struct lh_slot *slot = find_own();
    if (slot == NULL || atomic_load(&slot->inlined.met) != 0)
        return false;
    atomic_store(&slot->allow_depth, lh_self.allow_depth);
    lh_self.slot = slot;
    atomic_store(&slot->inlined.met, 1);
    return true;
}

void lh_meet_init(void (*ask)(bool on))
{
    lh_meet = meet;
    lh_meet_ask = ask;
}
