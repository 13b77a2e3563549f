/* Which waits of a loop thread are a park because another thread has the loop: see standby.h. Runs
 * on the program's threads; no system call, no lock, errno stays. */
#include "preload/standby.h"

#include "preload/loop.h"

static bool has_set_of(const struct lh_slot *other, const struct lh_slot *own)
{
    return other != own && atomic_load_explicit(&other->tid, memory_order_relaxed) != 0 &&
           other->epfd == own->epfd;
}

static bool set_is_shared(const struct lh_slot *own)
{
    uint32_t used = atomic_load_explicit(&lh_process->slots_used, memory_order_relaxed);
    for (uint32_t i = 0; i < used; i++)
        if (has_set_of(&lh_process->slots[i], own))
            return true;
    return false;
}

/* Is this wait made by a call that is being watched? What is left over of calls that were jumped
 * out of lies deeper. */
static bool is_part_of_a_call(const struct lh_slot *slot, uintptr_t frame)
{
    return atomic_load_explicit(&slot->sp, memory_order_relaxed) > frame;
}

bool lh_standby_begin(uintptr_t frame)
{
    struct lh_slot *slot = lh_self.slot;
    if (slot->epfd < 0 || frame < slot->park_frame || is_part_of_a_call(slot, frame))
        return false;
    if (!set_is_shared(slot))
        return false;
    if (lh_park_enter(slot->park_frame))
        lh_victims_give_up(slot);
    return true;
}
