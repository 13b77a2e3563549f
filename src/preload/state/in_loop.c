/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a loop thread does a part of its loop? See in_loop.h. Any thread, also the watchdog. */
#include "preload/state/in_loop.h"

#include <string.h>

#include "common/call_ids.h"
#include "preload/python/interpreter.h"
#include "preload/state/births.h"
#include "preload/state/chain.h"
#include "preload/state/home.h"
#include "preload/state/pollers.h"
#include "preload/sys/clock.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

/* With signals blocked: a handler that does not return would keep the store. */
void lh_in_loop_parks(struct lh_slot *slot)
{
    bool own = atomic_load(&slot->tid) == (uint32_t)lh_syscall0(SYS_gettid);
    struct lh_view view = {.read = lh_memory_read_self};
    uint64_t signals = lh_signals_block();
    if (slot->python_thread != 0)
        view = own ? lh_view_of_own() : lh_view_of_process();
    lh_python_place(&view, slot->python_thread, &slot->place);
    lh_view_close(&view);
    lh_signals_restore(signals);
}

#define LOOKS 4 /* that have to agree: once it has left, nothing more is told of the iteration */

/* Asks the kernel for nothing where the loop is not one of Python's. Of one that runs the frames
 * may change as they are read: then it is where it was. */
static bool has_left(const struct lh_slot *slot, uint64_t iteration_id, const struct lh_view *view)
{
    enum lh_python_whereabouts now = LH_PYTHON_LEFT;
    for (int i = 0; i < LOOKS && now == LH_PYTHON_LEFT; i++) {
        if (i > 0)
            lh_view_forget(view);
        now = lh_python_whereabouts(view, slot->python_thread, &slot->place);
    }
    return now == LH_PYTHON_LEFT || (now == LH_PYTHON_UNSEEN && iteration_id != 0 &&
                                     atomic_load(&slot->left_iteration) == iteration_id);
}

/* In doubt a stall tells it later, unless the user wants none. */
static bool is_outside(struct lh_slot *slot)
{
    enum lh_home_look look = lh_home_look(slot);
    return look == LH_HOME_OUTSIDE || (look == LH_HOME_DOUBT && lh_options.stall != 0);
}

static uint64_t iteration_of(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->iteration_id, memory_order_relaxed);
}

void lh_in_loop_wakes(struct lh_slot *slot, uintptr_t futex)
{
    struct lh_wakes *wakes = &slot->wakes;
    if (wakes->iteration_id != iteration_of(slot)) {
        wakes->count = 0;
        wakes->iteration_id = iteration_of(slot);
    }
    wakes->addresses[wakes->count++ % LH_WOKEN] = futex;
}

void lh_in_loop_stands_by(struct lh_slot *slot, uintptr_t futex)
{
    if (atomic_load_explicit(&slot->gave_away, memory_order_relaxed) == 0) {
        slot->stands_by_at = futex;
    } else if (slot->stood_at[0] != futex) {
        slot->stood_at[1] = slot->stood_at[0];
        slot->stood_at[0] = futex;
    }
}

void lh_in_loop_comes_back(struct lh_slot *slot)
{
    if (atomic_exchange(&slot->gave_away, 0) == 0)
        return;
    memcpy(slot->came_from, slot->stood_at, sizeof(slot->came_from));
    memset(slot->stood_at, 0, sizeof(slot->stood_at));
    slot->stands_by_at = 0;
    slot->came_at = lh_counter();
}

static bool has_woken(const struct lh_slot *slot, const uintptr_t stood_at[2])
{
    const struct lh_wakes *wakes = &slot->wakes;
    uint32_t known = wakes->count < LH_WOKEN ? wakes->count : LH_WOKEN;
    for (uint32_t i = 0; i < known; i++)
        if (wakes->addresses[i] == stood_at[0] || wakes->addresses[i] == stood_at[1])
            return true;
    return false;
}

static bool is_at_set_of(uint32_t tid, const struct lh_slot *slot)
{
    uint32_t used = atomic_load_explicit(&lh_process->slots_used, memory_order_relaxed);
    for (uint32_t i = 0; i < used; i++)
        if (atomic_load_explicit(&lh_process->slots[i].tid, memory_order_acquire) == tid)
            return lh_process->slots[i].epfd == slot->epfd;
    return false;
}

/* A worker's place has its own futex, on which whoever has the place stands by. */
static bool stands_by_for(const struct lh_slot *slot, uint32_t tid)
{
    struct lh_thread_wait wait;
    return slot->stands_by_at != 0 && lh_proc_thread_wait(tid, &wait) && wait.number == SYS_futex &&
           wait.first == slot->stands_by_at;
}

/* One that it has started is at its epoll set, stands by in its place, or runs the function that
 * runs its loop. */
static bool gave_to_a_new_one(const struct lh_slot *slot)
{
    uint32_t next = 0;
    uint32_t tid;
    uintptr_t base;
    while (lh_birth_next(slot, &next, &tid, &base))
        if (is_at_set_of(tid, slot) || stands_by_for(slot, tid) ||
            lh_chain_is_below(tid, base, &slot->loop))
            return true;
    return false;
}

/* One that had no loop, and that it has woken, has come back, or stands by in its place. */
static bool gave_to(const struct lh_slot *other, const struct lh_slot *slot)
{
    uint32_t tid = atomic_load_explicit(&other->tid, memory_order_acquire);
    if (other == slot || tid == 0)
        return false;
    if (other->epfd == slot->epfd)
        return other->came_at >= slot->iteration_start && has_woken(slot, other->came_from);
    return atomic_load_explicit(&other->gave_away, memory_order_relaxed) != 0 &&
           has_woken(slot, other->stood_at) && stands_by_for(slot, tid);
}

static bool gave_to_a_woken_one(const struct lh_slot *slot)
{
    uint32_t used = atomic_load_explicit(&lh_process->slots_used, memory_order_relaxed);
    for (uint32_t i = 0; i < used; i++)
        if (gave_to(&lh_process->slots[i], slot))
            return true;
    return false;
}

bool lh_in_loop_gave_away(const struct lh_slot *slot)
{
    uint64_t iteration_id = iteration_of(slot);
    if (atomic_load_explicit(&slot->gave_away, memory_order_relaxed) != 0)
        return true;
    if (slot->epfd < 0 || iteration_id == 0)
        return false;
    return (slot->started_in == iteration_id && gave_to_a_new_one(slot)) ||
           (slot->wakes.iteration_id == iteration_id && gave_to_a_woken_one(slot));
}

/* Loops that park past libc take turns, too, and are idle on a futex (loop/standby.h); but that
 * they do may be found when the wait has begun. A thread that was said to be one and was not seen
 * to park yet is given the benefit of the doubt. */
#define WRAPPER_BYTES 1024
static bool waits_for_its_turn(const struct lh_slot *slot)
{
    uintptr_t sp = atomic_load(&slot->sp);
    uint32_t not_wanted = atomic_load_explicit(&lh_process->not_wanted, memory_order_relaxed);
    uint32_t loops = atomic_load_explicit(&lh_process->inline_loops, memory_order_relaxed);
    if ((loops == 0 && not_wanted == 0) || sp == 0 || slot->call != LH_CALL_futex)
        return false;
    if (slot->epfd < 0)
        return slot->stays && slot->park_frame == 0;
    if (atomic_load(&slot->inlined.is) == 0 || sp + WRAPPER_BYTES < slot->park_frame)
        return false;
    if (not_wanted == (uint32_t)slot->epfd + 1)
        return true;
    uint32_t used = atomic_load_explicit(&lh_process->slots_used, memory_order_relaxed);
    for (uint32_t i = 0; i < used; i++) {
        const struct lh_slot *other = &lh_process->slots[i];
        if (other != slot && atomic_load(&other->tid) != 0 && other->epfd == slot->epfd)
            return true;
    }
    return false;
}

static enum lh_noise why_not(struct lh_slot *slot, uint64_t iteration_id,
                             const struct lh_view *view)
{
    if (lh_in_loop_gave_away(slot))
        return LH_NOISE_GUEST;
    if (has_left(slot, iteration_id, view))
        return LH_NOISE_NOT_IN_LOOP;
    if (lh_poller_is(slot, atomic_load(&slot->sp)))
        return LH_NOISE_GUEST;
    if (is_outside(slot))
        return LH_NOISE_NOT_IN_LOOP;
    return waits_for_its_turn(slot) ? LH_NOISE_GUEST : LH_NOISE_NONE;
}

enum lh_noise lh_in_loop_why_not(struct lh_slot *slot, const struct lh_view *view)
{
    uint64_t iteration_id = atomic_load(&slot->iteration_id);
    enum lh_noise reason = why_not(slot, iteration_id, view);
    if (reason != LH_NOISE_NONE)
        atomic_store(&slot->left_iteration, iteration_id);
    else if (atomic_load(&slot->left_iteration) != iteration_id)
        atomic_store(&slot->inside_at, lh_counter());
    return reason;
}

uint64_t lh_in_loop_end(const struct lh_slot *slot)
{
    uint64_t iteration_id = atomic_load_explicit(&slot->iteration_id, memory_order_relaxed);
    if (iteration_id == 0 || atomic_load(&slot->left_iteration) != iteration_id)
        return lh_counter();
    uint64_t inside_at = atomic_load(&slot->inside_at);
    return inside_at > slot->iteration_start ? inside_at : slot->iteration_start;
}

bool lh_in_loop_is_doubtful(const struct lh_slot *slot)
{
    uint64_t iteration_id = atomic_load_explicit(&slot->iteration_id, memory_order_relaxed);
    return iteration_id != 0 && atomic_load(&slot->home.left) == iteration_id &&
           atomic_load(&slot->left_iteration) == iteration_id;
}

void lh_in_loop_exits(struct lh_slot *slot)
{
    lh_in_loop_look(slot);
    atomic_store(&slot->home.exits, 1);
}
