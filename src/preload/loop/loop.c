/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads are loop threads. Runs on the program's threads, at the first park of a thread and
 * at its end; raw system calls, but for thread_end.h. */
#include "preload/loop/loop.h"

#include <errno.h>
#include <string.h>

#include "common/call_ids.h"
#include "preload/iteration/sampler.h"
#include "preload/loop/anchor.h"
#include "preload/loop/poll_sites.h"
#include "preload/loop/rest.h"
#include "preload/loop/wanted.h"
#include "preload/process/lifecycle.h"
#include "preload/process/setup.h"
#include "preload/python/interpreter.h"
#include "preload/python/threads.h"
#include "preload/state/chain.h"
#include "preload/state/home.h"
#include "preload/state/in_loop.h"
#include "preload/state/meet.h"
#include "preload/state/pollers.h"
#include "preload/state/record.h"
#include "preload/state/resource.h"
#include "preload/state/thread_end.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/proc.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

/* Ends the loop of `slot`, which is the calling thread's. A slot that nobody has and nobody gave
 * back would keep the watchdog busy for ever. */
static void drop(struct lh_slot *slot)
{
    uint64_t signals = lh_signals_block();
    lh_stall_abandon(slot);
    lh_ready_give_up(slot);
    lh_self.slot = NULL;
    atomic_fetch_add(&lh_self.reports, atomic_load(&slot->reports));
    memset(lh_self.poll_sites, 0, sizeof(lh_self.poll_sites));
    lh_self.allow_depth = atomic_load(&slot->allow_depth);
    lh_thread_end_watch(NULL, drop);
    atomic_store(&slot->parked, 1);
    lh_sampler_free(slot);
    lh_slot_release(slot);
    lh_signals_restore(signals);
}

static void write_loop_event(const struct lh_slot *slot, uint32_t call, enum lh_found found)
{
    struct lh_call_copy copy = {.call = call, .tid = atomic_load(&slot->tid)};
    struct lh_record *record = lh_record_begin(LH_EVENT_LOOP, &copy, 0, true);
    if (record == NULL)
        return;
    lh_record_name_python(record, copy.tid, slot->python_thread, record->thread);
    record->found = found;
    record->fd = slot->epfd;
    lh_record_publish(record);
}

static int begin_loop(int epfd, uint32_t call, enum lh_found found)
{
    if (lh_meet != NULL && lh_meet())
        return 0;
    (void)lh_v8_find();
    bool python = lh_python_find() == 0; /* before the ring: its header says what cannot be seen */
    if (!lh_process_start())
        return -ENOMEM;
    struct lh_slot *slot = lh_slot_take((uint32_t)lh_syscall0(SYS_gettid));
    if (slot == NULL)
        return -ENOMEM;
    /* The watchdog believes what follows once it has seen a call or an iteration of this owner,
     * which releases it; that the slot has one is not enough. */
    slot->tick_cpu_ns = (uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    slot->tick_delay_ns =
        lh_stall_is_on() ? lh_proc_run_delay_ns(atomic_load(&slot->tid)) : LH_UNKNOWN;
    slot->epfd = epfd;
    slot->park = (struct lh_call_site){0, 0};
    memset(slot->former, -1, sizeof(slot->former));
    slot->anchor = (struct lh_anchor){.fd = -1};
    slot->park_frame = 0;
    slot->stays = found != LH_FOUND_BY_CALL;
    slot->python_thread = python ? lh_python_thread_state() : 0;
    lh_python_threads_learn(slot->python_thread);
    slot->isolate = lh_v8_isolate();
    lh_in_loop_parks(slot);
    atomic_store(&slot->labels_at, 0);
    slot->came_at = 0;
    slot->started_in = 0;
    slot->wakes = (struct lh_wakes){0};
    slot->stands_by_at = 0;
    slot->chain_length = 0;
    slot->loop = (struct lh_loop_function){0};
    slot->preempts = false;
    slot->library = (struct lh_code){0, 0};
    memset(slot->stood_at, 0, sizeof(slot->stood_at));
    atomic_store(&slot->allow_depth, lh_self.allow_depth);
    lh_thread_end_watch(slot, drop);
    lh_self.slot = slot;
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (ring != NULL)
        atomic_fetch_add(&ring->totals.loops, 1);
    write_loop_event(slot, call, found);
    lh_watchdog_call_if_idle();
    return 0;
}

static int become_loop(int epfd, uint32_t call, enum lh_found found)
{
    uint64_t signals = lh_signals_block();
    int error = begin_loop(epfd, call, found);
    lh_signals_restore(signals);
    return error;
}

/* May there be a loop at all? Sets us up where a loop begins before our constructor. */
static bool may_watch(void)
{
    return lh_setup() && lh_process_may_watch();
}

/* The calling thread's slot, or NULL; also in a child of fork, in its inherited thread. */
static struct lh_slot *own_slot(void)
{
    struct lh_slot *slot = lh_self.slot;
    if (slot == NULL || atomic_load(&slot->tid) != 0)
        return slot;
    memset(lh_self.poll_sites, 0, sizeof(lh_self.poll_sites));
    lh_self.slot = NULL;
    return NULL;
}

/* The same; the watchdog may have one for it. */
static struct lh_slot *met_slot(void)
{
    struct lh_slot *slot = own_slot();
    return slot == NULL && lh_meet != NULL && lh_meet() ? lh_self.slot : slot;
}

/* The wait is part of another call: a look-up that libc makes for it, say. */
static bool is_inside_call(const struct lh_slot *slot, const struct lh_call_site *place)
{
    return atomic_load(&slot->sp) > place->frame;
}

/* Has the function that parked so far returned? Its callees are further in than its own waits. */
static bool is_from_outside(const struct lh_slot *slot, const struct lh_call_site *place)
{
    const struct lh_call_site *park = &slot->park;
    return place->frame > park->frame || (place->frame == park->frame && place->site == park->site);
}

/* Only a thread that somebody has started has begun as others have. */
static void note_place(struct lh_slot *slot, const struct lh_call_site *place)
{
    lh_poller_note(slot, place->site);
    if (atomic_load(&slot->tid) != atomic_load(&lh_process->pid))
        lh_chain_note(slot, place->frame, place->site);
}

static int32_t *former_set(struct lh_slot *slot, int epfd)
{
    for (int i = 0; i < LH_FORMER_SETS; i++)
        if (slot->former[i] == epfd)
            return &slot->former[i];
    return NULL;
}

/* One loop has ended, or rests, and another has begun. */
static bool has_moved(struct lh_slot *slot, int epfd, const struct lh_call_site *place)
{
    return is_from_outside(slot, place) || former_set(slot, epfd) != NULL;
}

static bool set_is_open(const struct lh_slot *slot)
{
    return slot->epfd >= 0 &&
           (lh_fd_is_epoll(slot->epfd) || lh_fd_is(slot->epfd, "anon_inode:[io_uring]"));
}

/* The set so far takes the place of the new one among the former ones, or of the oldest. */
static void park_on(struct lh_slot *slot, int epfd, const struct lh_call_site *place)
{
    int32_t *room = former_set(slot, epfd);
    if (room == NULL)
        room = former_set(slot, -1);
    if (room == NULL) {
        room = &slot->former[LH_FORMER_SETS - 1];
        memmove(slot->former, slot->former + 1, sizeof(slot->former) - sizeof(slot->former[0]));
    }
    *room = slot->epfd;
    slot->epfd = epfd;
    slot->park = *place;
    lh_in_loop_comes_back(slot);
    note_place(slot, place);
    atomic_store(&slot->inlined.is, 0); /* this is the surer sign */
    lh_slot_note_python(slot);
    lh_in_loop_parks(slot);
    slot->home.park = 0; /* asks anew */
    slot->anchor = (struct lh_anchor){.fd = -1};
}

static enum lh_park find(int epfd, uint32_t call, const struct lh_call_site *place)
{
    struct lh_slot *slot = met_slot();
    if (slot == NULL) {
        if (!may_watch() || !lh_loop_is_wanted() || become_loop(epfd, call, LH_FOUND_BY_CALL) != 0)
            return LH_PARK_NONE;
        note_place(lh_self.slot, place);
        return LH_PARK_OWN;
    }
    if (is_inside_call(slot, place))
        return LH_PARK_FOREIGN;
    bool moved = slot->epfd < 0 || has_moved(slot, epfd, place);
    if (!moved && set_is_open(slot))
        return LH_PARK_FOREIGN;
    if (!moved)
        slot->epfd = -1; /* closed where we did not see it */
    park_on(slot, epfd, place);
    return LH_PARK_OWN;
}

enum lh_park lh_park_find(int epfd, uint32_t call, const struct lh_call_site *place)
{
    int saved_errno = errno;
    if (LH_UNLIKELY(lh_rest_in_park()))
        return LH_PARK_NONE;
    if (LH_UNLIKELY(lh_self.resting != NULL) && lh_rest_ends(epfd))
        return LH_PARK_OWN;
    enum lh_park park = find(epfd, call, place);
    errno = saved_errno;
    return park;
}

/* Counted as poll's waits are, by ring instead of call site: no code is at such an address. */
static bool ring_turns(const struct lh_ring_wait *wait)
{
    const struct lh_poll_wait turn = {.site = (uintptr_t)wait->fd + 1, .count = 1};
    return lh_poll_sites_note(lh_self.poll_sites, &turn) != NULL && lh_ring_is_loops(wait);
}

enum lh_park lh_park_begin_ring(const struct lh_ring_wait *wait, uint32_t call,
                                const struct lh_call_site *place)
{
    struct lh_slot *slot = lh_self.slot == NULL ? NULL : own_slot();
    enum lh_park park = slot == NULL ? LH_PARK_NONE : LH_PARK_FOREIGN;
    int saved_errno = errno;
    if (slot != NULL && slot->epfd >= 0 && slot->epfd == wait->fd)
        park = LH_PARK_OWN;
    else if (wait->fd >= 0 && ring_turns(wait))
        park = find(wait->fd, call, place);
    if (park == LH_PARK_OWN && lh_park_enter_at(*place))
        lh_ready_give_up(lh_self.slot);
    errno = saved_errno;
    return park;
}

/* A wait that is not known to be the loop's park: does it make one? */
static bool find_wait(struct lh_slot *slot, const struct lh_poll_wait *wait, uint32_t call)
{
    struct lh_anchor anchor;
    const struct lh_poll_site *site = lh_poll_sites_note(lh_self.poll_sites, wait);
    if (LH_LIKELY(site == NULL) || !lh_anchor_find(&anchor, wait, site))
        return false;
    if (slot == NULL) {
        if (!may_watch() || !lh_loop_is_wanted() || become_loop(-1, call, LH_FOUND_BY_CALL) != 0)
            return false;
    } else if (lh_anchor_lives(&slot->anchor)) {
        return false; /* a loop inside the loop: a block */
    }
    lh_self.slot->anchor = anchor;
    return true;
}

enum lh_park lh_park_begin_wait(const struct lh_poll_wait *wait, uint32_t call)
{
    int saved_errno = errno;
    if (LH_UNLIKELY(lh_options.loop_mode == LH_LOOP_GLOBS) && lh_self.slot == NULL &&
        lh_loop_waits_with_name())
        lh_loop_declare(LH_FOUND_BY_OPTION);
    struct lh_slot *slot = lh_self.slot == NULL ? NULL : own_slot();
    bool own = false;
    if (slot == NULL || slot->epfd < 0)
        own = (slot != NULL && lh_anchor_holds(&slot->anchor, wait)) || find_wait(slot, wait, call);
    errno = saved_errno;
    if (!own)
        return slot == NULL ? LH_PARK_NONE : LH_PARK_FOREIGN;
    if (LH_UNLIKELY(wait->frame > lh_self.slot->home.park))
        lh_home_ask(lh_self.slot, wait->frame);
    if (lh_park_enter(wait->frame))
        lh_ready_count_wait(lh_self.slot, wait);
    return LH_PARK_OWN;
}

int lh_loop_declare(enum lh_found found)
{
    struct lh_slot *slot = met_slot();
    if (slot != NULL)
        slot->stays |= found == LH_FOUND_BY_OPTION;
    return slot == NULL && may_watch() ? become_loop(-1, 0, found) : 0;
}

/* Others make theirs at the same place again and again. */
static bool is_uvloops(uintptr_t site)
{
    static _Atomic uintptr_t other;
    if (atomic_load(&other) == site || lh_python_find() != 0)
        return false;
    bool is = lh_poller_is_uvloop(site);
    if (!is)
        atomic_store(&other, site);
    return is;
}

/* It will park as all of libuv does: by epoll_pwait(2). */
void lh_loop_is_made(uintptr_t site)
{
    int saved_errno = errno;
    if (lh_options.loop_mode == LH_LOOP_AUTO && is_uvloops(site) && met_slot() == NULL &&
        may_watch() && become_loop(-1, LH_CALL_epoll_pwait, LH_FOUND_BY_CALL) == 0) {
        struct lh_slot *slot = lh_self.slot;
        slot->place = (struct lh_python_place){.runs = LH_PYTHON_RUNS_LOOP, .is_unborn = true};
        atomic_store(&slot->parked, 1); /* nothing to look at until it has waited */
    }
    errno = saved_errno;
}

void lh_loop_named(const char *name)
{
    int saved_errno = errno;
    if (lh_loop_has_name(name))
        lh_loop_declare(LH_FOUND_BY_OPTION);
    errno = saved_errno;
}

void lh_loop_name_main(void)
{
    if (lh_loop_main_is_one())
        lh_loop_declare(LH_FOUND_BY_OPTION);
    else
        lh_loop_named(NULL);
}

void lh_loop_leave(void)
{
    if (lh_self.slot != NULL)
        drop(lh_self.slot);
}

struct range {
    unsigned int first, last;
};

static bool has(struct range range, int fd)
{
    return fd >= 0 && (unsigned int)fd >= range.first && (unsigned int)fd <= range.last;
}

static bool has_former_sets(const struct lh_slot *slot, struct range range)
{
    for (int i = 0; i < LH_FORMER_SETS; i++)
        if (has(range, slot->former[i]))
            return true;
    return false;
}

static void forget_former_sets(struct lh_slot *slot, struct range range)
{
    for (int i = 0; i < LH_FORMER_SETS; i++)
        if (has(range, slot->former[i]))
            slot->former[i] = -1;
}

void lh_loop_closes(unsigned int first, unsigned int last)
{
    struct lh_slot *slot = lh_self.slot;
    const struct range range = {first, last};
    bool own = has(range, slot->epfd) || has(range, slot->anchor.fd);
    /* A child of vfork has its parent's memory, but descriptors of its own. */
    if ((!own && !has_former_sets(slot, range)) || !lh_process_is_ours())
        return;
    forget_former_sets(slot, range);
    if (!own)
        return;
    if (!slot->stays) {
        drop(slot);
        return;
    }
    slot->epfd = -1;
    slot->anchor = (struct lh_anchor){.fd = -1};
}
