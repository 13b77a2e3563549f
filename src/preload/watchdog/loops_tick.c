/* SPDX-License-Identifier: Apache-2.0 */
/* One look at all loops. See loops_tick.h: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/loops_tick.h"

#include "preload/iteration/stall.h"
#include "preload/state/meet.h"
#include "preload/state/state.h"
#include "preload/state/throttle.h"
#include "preload/watchdog/inflight.h"
#include "preload/watchdog/inline_watch.h"
#include "preload/watchdog/kept_times.h"
#include "preload/watchdog/stall_tick.h"
#include "preload/watchdog/told_tick.h"

#define CROWD 64 /* busy loops */
#define TICKS                                                                                      \
    4           /* in one of so many, the times of loops that turn are read: that costs more than  \
                   all the rest, and a loop that is called for has its times read then */
#define TURNS 2 /* since the last look: a call costs as much as a look, and it costs the loop */

/* Where very many loops are busy a tick may come late, and what is told of them takes longer than a
 * tick. */
static void note_crowd(uint32_t busy)
{
    if (busy >= CROWD)
        atomic_fetch_or(&lh_time_all_calls, LH_TIMED_IN_CROWD);
    else if (LH_UNLIKELY((atomic_load(&lh_time_all_calls) & LH_TIMED_IN_CROWD) != 0))
        atomic_fetch_and(&lh_time_all_calls, ~LH_TIMED_IN_CROWD);
}

/* Once all that were found know it, no call asks any more. */
static void note_meetings(bool asks)
{
    static bool asked;
    if (asked && !asks && lh_meet_ask != NULL)
        lh_meet_ask(false);
    asked = asks;
}

/* How many it has made since the last look. */
static uint64_t turns_of(struct lh_slot *slot)
{
    uint64_t before = slot->tick_turn;
    slot->tick_turn = atomic_load(&slot->iteration_id);
    return slot->tick_turn - before;
}

/* What all loops together were found to be. */
struct found {
    uint32_t busy, inlined;
    uint64_t turns;
    bool asks;
};

static void look_at(struct lh_slot *slot, bool reads, struct found *found)
{
    bool is_inlined = atomic_load(&slot->inlined.is) != 0;
    if (is_inlined && !lh_inline_tick(slot))
        return;
    uint64_t turns = turns_of(slot);
    found->turns += turns;
    found->inlined += is_inlined;
    found->asks |= is_inlined && atomic_load(&slot->inlined.met) == 0;
    if (atomic_load(&slot->parked) != 0) {
        if (reads && turns > 0)
            lh_stall_tick_parked(slot);
        return;
    }
    if (found->busy++ == 0 && lh_stall_is_on())
        lh_throttle_tick();
    lh_inflight_tick(slot);
    lh_stall_tick(slot, reads);
    if (is_inlined)
        lh_inline_seen(slot);
}

enum lh_loops lh_loops_tick(bool called)
{
    static uint32_t ticks;
    struct found found = {0};
    bool reads = called || ++ticks % TICKS == 0;
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        lh_told_tick(slot);
        if (atomic_load(&slot->tid) != 0)
            look_at(slot, reads, &found);
        else
            lh_kept_times_end(slot);
    }
    note_crowd(found.busy);
    note_meetings(found.asks);
    if (found.busy > 0 || found.inlined > 0)
        return LH_LOOPS_BUSY;
    return found.turns >= TURNS ? LH_LOOPS_TURN : LH_LOOPS_PARKED;
}

bool lh_loops_are_parked(void)
{
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++) {
        const struct lh_slot *slot = &lh_process->slots[i];
        if (atomic_load(&slot->tid) != 0 &&
            (atomic_load(&slot->parked) == 0 || atomic_load(&slot->inlined.is) != 0))
            return false;
    }
    return true;
}
