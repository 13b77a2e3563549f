/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of what was told in flight. See told_tick.h: raw system calls, no libc state, no malloc.
 */
#include "preload/watchdog/told_tick.h"

#include "common/told.h"

static bool has_thread(const struct lh_slot *slot)
{
    return atomic_load(&slot->tid) != 0;
}

static bool call_lasts(const struct lh_slot *slot)
{
    return has_thread(slot) && atomic_load(&slot->sp) != 0 &&
           atomic_load(&slot->seq) == atomic_load(&slot->reported_seq);
}

static bool iteration_lasts(const struct lh_slot *slot, uint64_t progress)
{
    return has_thread(slot) && atomic_load(&slot->parked) == 0 &&
           (uint32_t)atomic_load(&slot->iteration_id) == progress >> 32;
}

void lh_told_tick(struct lh_slot *slot)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    uint64_t progress = atomic_load(&slot->progress);
    uint32_t stall_id = (uint32_t)progress;
    if (slot->told_call != slot->reported_id && !call_lasts(slot)) {
        slot->told_call = slot->reported_id;
        lh_told_end(ring, slot->told_call);
    }
    if (slot->told_stall != stall_id && !iteration_lasts(slot, progress)) {
        slot->told_stall = stall_id;
        lh_told_end(ring, stall_id);
    }
}
