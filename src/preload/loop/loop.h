/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads are loop threads, and where their loops park.
 *
 * Runs on the program's threads. The common case of a park is inline and makes no system call. */
#ifndef LH_PRELOAD_LOOP_LOOP_H
#define LH_PRELOAD_LOOP_LOOP_H

#include "preload/iteration/ready.h"
#include "preload/iteration/stall.h"
#include "preload/loop/uring.h"
#include "preload/state/home.h"
#include "preload/state/state.h"
#include "preload/watchdog/watchdog.h"

enum lh_park {
    LH_PARK_NONE,    /* not a loop thread: just forward */
    LH_PARK_OWN,     /* the loop waits for its events */
    LH_PARK_COUNTED, /* and how many are there at once is asked for: see lh_park_end_counted() */
    LH_PARK_FOREIGN, /* a loop thread waits for something else: a call like any other */
};

/* The uncommon cases: the first park of a thread or of a child of fork, an epoll set that is not
 * the loop's own. That one is a block while the loop is on the stack: a loop inside the loop, or a
 * wait for an answer. It is the loop's own from then on where the loop has moved: where its waits
 * came from is no longer on the stack, as this one comes from further out, or from the very same
 * place; and where it returns to a set that was its own before. May start the watchdog. errno
 * stays. */
enum lh_park lh_park_find(int epfd, uint32_t call, const struct lh_call_site *place);

/* In a wrapper, the place of its call. */
#define LH_CALL_SITE()                                                                             \
    (struct lh_call_site)                                                                          \
    {                                                                                              \
        (uintptr_t) __builtin_frame_address(0), (uintptr_t)__builtin_return_address(0)             \
    }

/* `frame`: of the wrapper in which it parks. True: reports of the iteration that ends wait for
 * their victims. */
static inline bool lh_park_enter(uintptr_t frame)
{
    struct lh_slot *slot = lh_self.slot;
    bool awaited = false;
    if (LH_UNLIKELY(lh_stall_may_be(slot))) {
        lh_home_parks(slot, frame);
        lh_stall_end(slot);
        lh_home_study(slot);
        awaited = slot->awaits_victims;
    }
    slot->park_frame = frame;
    /* No call of this thread can be in flight here: what is left over was jumped out of. */
    atomic_store_explicit(&slot->sp, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->parked, 1, memory_order_release);
    return awaited;
}

static inline bool lh_park_enter_at(struct lh_call_site place)
{
    struct lh_slot *slot = lh_self.slot;
    if (LH_UNLIKELY(place.frame > slot->park.frame))
        slot->park = place;
    if (LH_UNLIKELY(place.frame > slot->home.park))
        lh_home_ask(slot, place.frame);
    return lh_park_enter(place.frame);
}

static inline __attribute__((always_inline)) enum lh_park lh_park_begin(int epfd, uint32_t call,
                                                                        struct lh_call_site place)
{
    struct lh_slot *slot = lh_self.slot;
    enum lh_park park = LH_PARK_OWN;
    if (LH_UNLIKELY(slot == NULL || slot->epfd != epfd ||
                    atomic_load_explicit(&slot->tid, memory_order_relaxed) == 0))
        park = lh_park_find(epfd, call, &place);
    if (park != LH_PARK_OWN)
        return park;
    if (LH_UNLIKELY(lh_park_enter_at(place)) && lh_ready_probe(lh_self.slot, epfd))
        return LH_PARK_COUNTED;
    return LH_PARK_OWN;
}

/* The same for a call of poll or select, which is a park only where a loop is known by it or found
 * by it: see poll_sites.h. */
enum lh_park lh_park_begin_wait(const struct lh_poll_wait *wait, uint32_t call);

/* The same for a wait for a ring of io_uring: see uring.h. */
enum lh_park lh_park_begin_ring(const struct lh_ring_wait *wait, uint32_t call,
                                const struct lh_call_site *place);

static inline void lh_park_end(void)
{
    struct lh_slot *slot = lh_self.slot;
    lh_stall_begin(slot);
    /* Sequentially consistent on both sides: either we see that the watchdog sleeps, or it sees
     * that we no longer park. */
    atomic_store(&slot->parked, 0);
    if (LH_UNLIKELY(atomic_load(&lh_process->watchdog_call) != 0))
        lh_watchdog_call();
}

/* What a park of LH_PARK_COUNTED returned, of so many at most. errno stays. */
static inline void lh_park_end_counted(long returned, long most)
{
    lh_park_end();
    lh_ready_count(lh_self.slot, returned, most);
}

/* Runs before an epoll set is made by a call from `site`. uvloop (libuv) runs what is ready before
 * it waits for the first time: there the thread becomes a loop thread now, which is not in its loop
 * but below a function that runs it, asyncio.run() or a Runner's. */
void lh_loop_is_made(uintptr_t site);

/* The calling thread is said to run an event loop, by itself or by an option (no epoll set is known
 * yet); or it says that it no longer does. 0 (also where this process is not to be watched) or
 * -ENOMEM: no ring, too many loop threads. */
int lh_loop_declare(enum lh_found found);
void lh_loop_leave(void);

/* The calling thread has this name, or (NULL) the one that the kernel knows: does LOOPHOUND_LOOP
 * name it? errno stays. The same in our constructor, on the main thread. */
void lh_loop_named(const char *name);
void lh_loop_name_main(void);

/* A loop thread closes the descriptors from `first` to `last`: with its own epoll set or anchor it
 * ends its loop. */
void lh_loop_closes(unsigned int first, unsigned int last);

#endif
