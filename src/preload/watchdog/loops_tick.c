/* SPDX-License-Identifier: Apache-2.0 */
/* One look at all loops. See loops_tick.h: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/loops_tick.h"

#include "preload/iteration/stall.h"
#include "preload/state/meet.h"
#include "preload/state/state.h"
#include "preload/state/throttle.h"
#include "preload/watchdog/inflight.h"
#include "preload/watchdog/inline_watch.h"
#include "preload/watchdog/stall_tick.h"
#include "preload/watchdog/told_tick.h"

#define CROWD 64 /* busy loops */

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

bool lh_loops_tick(uint64_t tick_ns)
{
    uint32_t busy = 0;
    uint32_t inlined = 0;
    bool asks = false;
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        lh_told_tick(slot);
        if (atomic_load(&slot->tid) == 0)
            continue;
        bool is_inlined = atomic_load(&slot->inlined.is) != 0;
        if (is_inlined && !lh_inline_tick(slot))
            continue;
        inlined += is_inlined;
        asks |= is_inlined && atomic_load(&slot->inlined.met) == 0;
        if (atomic_load(&slot->parked) != 0)
            continue;
        if (busy++ == 0 && lh_stall_is_on())
            lh_throttle_tick();
        lh_inflight_tick(slot);
        lh_stall_tick(slot, tick_ns);
        if (is_inlined)
            lh_inline_seen(slot);
    }
    note_crowd(busy);
    note_meetings(asks);
    return busy > 0 || inlined > 0;
}
