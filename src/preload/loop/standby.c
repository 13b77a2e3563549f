/* SPDX-License-Identifier: Apache-2.0 */
/* Which waits of a loop thread are a park because another thread has the loop: see standby.h. Runs
 * on the program's threads; no lock, errno stays. */
#include "preload/loop/standby.h"

#include "preload/loop/loop.h"
#include "preload/state/in_loop.h"

static bool has_set_of(const struct lh_slot *other, const struct lh_slot *own)
{
    return other != own && atomic_load_explicit(&other->tid, memory_order_acquire) != 0 &&
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

/* Has the function that runs the loop returned? As one does that finds its place taken. */
static bool has_left_loop(const struct lh_slot *slot, uintptr_t frame)
{
    return slot->loop.at != 0 && frame > slot->loop.at;
}

/* From now on it has no epoll set, until it parks on one again. */
static void give_away(struct lh_slot *slot)
{
    atomic_store(&slot->gave_away, 1);
    slot->epfd = -1;
}

bool lh_standby_begin(uintptr_t frame)
{
    struct lh_slot *slot = lh_self.slot;
    if (frame < slot->park_frame || is_part_of_a_call(slot, frame))
        return false;
    bool away = lh_in_loop_gave_away(slot);
    bool shared = slot->epfd >= 0 && set_is_shared(slot);
    if (!away && !shared)
        return false;
    away = away || has_left_loop(slot, frame);
    if (away)
        give_away(slot);
    if (lh_park_enter(slot->park_frame))
        lh_ready_give_up(slot);
    atomic_store_explicit(&slot->inlined.stands_by, atomic_load(&slot->iteration_id) + 1,
                          memory_order_release);
    return true;
}
