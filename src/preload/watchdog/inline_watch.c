/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that park past libc. See inline_watch.h: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/inline_watch.h"

#include <errno.h>
#include <unistd.h>

#include "common/syscall_name.h"
#include "preload/iteration/sampler.h"
#include "preload/iteration/stall.h"
#include "preload/state/in_loop.h"
#include "preload/state/meet.h"
#include "preload/state/record.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/syscall.h"
#include "preload/watchdog/trip.h"

bool lh_inline_is_park(const struct lh_thread_wait *wait, int32_t *epfd)
{
    *epfd = (int32_t)wait->first;
    return lh_is_epoll_wait(wait->number);
}

void lh_inline_watch_begin(void)
{
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++)
        lh_process->slots[i].inlined.trip = 0;
}

/* ---- the tripwire ---- */

static void take_trip(struct lh_inlined *inlined)
{
    if (inlined->trip != 0)
        lh_trip_take((int)inlined->trip - 1);
    inlined->trip = 0;
}

static void say_no_trip(void)
{
    static _Atomic uint32_t said;
    static const char line[] = "loophound: " LH_NO_TRIP "\n";
    int fd = atomic_exchange(&said, 1) == 0 ? lh_fd_borrow(STDERR_FILENO) : -1;
    if (fd < 0)
        return;
    lh_syscall3(SYS_write, fd, (long)line, sizeof(line) - 1);
    lh_fd_close(fd);
}

static void set_trip(struct lh_slot *slot)
{
    struct lh_inlined *inlined = &slot->inlined;
    take_trip(inlined);
    int trip = lh_trip_set(atomic_load(&slot->tid), inlined->pc);
    if (trip >= 0)
        inlined->trip = trip + 1;
    else if (trip != -ESRCH)
        say_no_trip();
}

static bool is_untripped(const struct lh_inlined *inlined)
{
    return inlined->trip != 0 && !lh_trip_has_tripped((int)inlined->trip - 1);
}

/* ---- looks ---- */

/* What can be seen of the thread now. */
struct look {
    bool waits;
    bool parks;
    struct lh_thread_wait wait;
    uint64_t slices;
    uint64_t seq; /* of the wrapped call that it is in; 0: none */
};

static bool is_its_park(const struct lh_slot *slot, const struct lh_thread_wait *wait)
{
    int32_t epfd;
    return lh_inline_is_park(wait, &epfd) && epfd == slot->epfd;
}

static struct look look_at(const struct lh_slot *slot)
{
    uint32_t tid = atomic_load(&slot->tid);
    struct look look;
    look.waits = lh_proc_thread_wait(tid, &look.wait);
    look.parks = look.waits && is_its_park(slot, &look.wait);
    look.slices = look.parks ? LH_UNKNOWN : lh_proc_slices(tid);
    look.seq = atomic_load(&slot->sp) != 0 ? atomic_load(&slot->seq) : 0;
    return look;
}

static void keep(struct lh_inlined *inlined, const struct look *look)
{
    inlined->slices = look->slices;
    inlined->seq = look->seq;
    inlined->number = look->waits ? look->wait.number : -1;
    inlined->sp = look->waits ? look->wait.sp : 0;
}

static bool is_in_the_same_wait(const struct lh_inlined *inlined, const struct look *look)
{
    return look->waits && inlined->sp == look->wait.sp && inlined->number == look->wait.number &&
           look->slices != LH_UNKNOWN && inlined->slices == look->slices;
}

static bool goes_on(const struct lh_inlined *inlined, const struct look *look)
{
    return is_in_the_same_wait(inlined, look) || (look->seq != 0 && look->seq == inlined->seq) ||
           is_untripped(inlined);
}

/* ---- iterations ---- */

/* When it was last certain to be in its iteration. */
static void end_iteration(struct lh_slot *slot)
{
    atomic_store(&slot->inside_at, atomic_load(&slot->inlined.looked_at));
    atomic_store(&slot->left_iteration, atomic_load(&slot->iteration_id));
    lh_stall_end_outside(slot);
}

/* Of no length, until the thread is seen out of its park: its owner, who may ask sooner, is told
 * nothing of the time before. */
static void rest(struct lh_slot *slot)
{
    uint64_t now = lh_counter();
    slot->iteration_start = now;
    atomic_store(&slot->inside_at, now);
    atomic_store(&slot->left_iteration, atomic_fetch_add(&slot->iteration_id, 1) + 1);
    atomic_store(&slot->parked, 1);
}

/* What was before the wire was set is not certain. */
static void begin_iteration(struct lh_slot *slot)
{
    set_trip(slot);
    slot->iteration_start = lh_counter();
    atomic_fetch_add(&slot->iteration_id, 1);
    atomic_store(&slot->parked, 0);
}

static void see_parked(struct lh_slot *slot, const struct look *look)
{
    struct lh_inlined *inlined = &slot->inlined;
    if (atomic_load(&slot->parked) == 0) {
        end_iteration(slot);
        take_trip(inlined);
        rest(slot);
    }
    slot->park_frame = look->wait.sp;
    inlined->pc = look->wait.pc;
}

static void see_in_iteration(struct lh_slot *slot, const struct look *look)
{
    bool was_parked = atomic_load(&slot->parked) != 0;
    if (!was_parked && goes_on(&slot->inlined, look))
        return;
    if (!was_parked)
        end_iteration(slot);
    begin_iteration(slot);
}

/* Its owner says so, who is in it until it begins another iteration. */
static bool stands_by(const struct lh_slot *slot)
{
    return atomic_load(&slot->inlined.stands_by) == atomic_load(&slot->iteration_id) + 1;
}

static void release(struct lh_slot *slot)
{
    take_trip(&slot->inlined);
    lh_sampler_free(slot);
    atomic_store(&slot->inlined.is, 0);
    lh_slot_release(slot);
}

static bool has_ended(const struct lh_slot *slot)
{
    return lh_syscall3(SYS_tgkill, lh_syscall0(SYS_getpid), atomic_load(&slot->tid), 0) == -ESRCH;
}

void lh_inline_seen(struct lh_slot *slot)
{
    atomic_store(&slot->inlined.looked_at, lh_counter());
}

bool lh_inline_tick(struct lh_slot *slot)
{
    if (has_ended(slot)) {
        release(slot);
        return false;
    }
    struct look look = look_at(slot);
    if (look.parks)
        see_parked(slot, &look);
    else if (!stands_by(slot))
        see_in_iteration(slot, &look);
    keep(&slot->inlined, &look);
    return true;
}

void lh_inline_take(struct lh_slot *slot, int32_t epfd, const struct lh_thread_wait *wait)
{
    slot->epfd = epfd;
    slot->park_frame = wait->sp;
    slot->inlined.pc = wait->pc;
    slot->inlined.trip = 0;
    rest(slot);
    struct look look = look_at(slot);
    keep(&slot->inlined, &look);
    atomic_store(&slot->inlined.is, 1);
    atomic_fetch_add(&lh_process->inline_loops, 1);
}
