/* Which threads are loop threads. Runs on the program's threads, at the first park of a thread and
 * at its end; raw system calls but for pthread_setspecific (no allocation for the first 32 keys).
 */
#include "preload/loop.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

#include "preload/clock.h"
#include "preload/proc.h"
#include "preload/process.h"
#include "preload/python.h"
#include "preload/python_threads.h"
#include "preload/report.h"
#include "preload/setup.h"
#include "preload/signals.h"
#include "preload/subject.h"
#include "preload/sys.h"

static pthread_key_t slot_key;
static bool slot_key_made;

/* Ends the loop of `slot`, which is the calling thread's. A slot that nobody has and nobody gave
 * back would keep the watchdog busy for ever. */
static void drop(struct lh_slot *slot)
{
    uint64_t signals = lh_signals_block();
    lh_stall_abandon(slot);
    lh_victims_give_up(slot);
    lh_self.slot = NULL;
    memset(lh_self.turns, 0, sizeof(lh_self.turns));
    lh_self.allow_depth = atomic_load(&slot->allow_depth);
    if (slot_key_made)
        pthread_setspecific(slot_key, NULL);
    lh_slot_release(slot);
    lh_signals_restore(signals);
}

static void thread_ends(void *slot)
{
    if (lh_self.slot == slot)
        drop(slot);
}

void lh_loop_init(void)
{
    slot_key_made = pthread_key_create(&slot_key, thread_ends) == 0;
}

static void write_loop_event(const struct lh_slot *slot, enum lh_call call, enum lh_found found)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_record *record = ring != NULL ? lh_ring_reserve(ring) : NULL;
    if (record == NULL)
        return;
    struct lh_call_copy copy = {.call = call, .tid = atomic_load(&slot->tid)};
    lh_record_fill(record, LH_EVENT_LOOP, &copy, 0, true);
    record->found = found;
    record->fd = slot->epfd;
    record->id = 0;
    record->group = LH_GROUP_OTHER;
    record->resource.kind = LH_RESOURCE_NONE;
    record->resource.length = 0;
    lh_ring_commit(ring, record);
    if (atomic_load(&ring->attached) != 0 || lh_process_shows_loops())
        lh_ring_wake(ring);
}

static int begin_loop(int epfd, enum lh_call call, enum lh_found found)
{
    bool python = lh_python_find() == 0; /* before the ring: its header says what cannot be seen */
    if (!lh_process_start())
        return -ENOMEM;
    struct lh_slot *slot = lh_slot_take((uint32_t)lh_syscall0(SYS_gettid));
    if (slot == NULL)
        return -ENOMEM;
    slot->look_cpu_ns = (uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    slot->look_delay_ns = lh_proc_run_delay_ns(atomic_load(&slot->tid));
    slot->epfd = epfd;
    slot->park = (struct lh_place){0, 0};
    memset(slot->former, -1, sizeof(slot->former));
    slot->anchor = (struct lh_anchor){.fd = -1};
    slot->park_frame = 0;
    slot->stays = found != LH_FOUND_BY_CALL;
    slot->python_thread = python ? lh_python_thread_state() : 0;
    lh_python_threads_learn(slot->python_thread);
    atomic_store(&slot->allow_depth, lh_self.allow_depth);
    if (slot_key_made)
        pthread_setspecific(slot_key, slot);
    lh_self.slot = slot;
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (ring != NULL)
        atomic_fetch_add(&ring->totals.loops, 1);
    write_loop_event(slot, call, found);
    lh_watchdog_call();
    return 0;
}

static int become_loop(int epfd, enum lh_call call, enum lh_found found)
{
    uint64_t signals = lh_signals_block();
    int error = begin_loop(epfd, call, found);
    lh_signals_restore(signals);
    return error;
}

static bool thread_is_wanted(void)
{
    char name[LH_THREAD_NAME] = "";
    switch (lh_options.loop_mode) {
    case LH_LOOP_AUTO:
        return true;
    case LH_LOOP_MAIN:
        return lh_syscall0(SYS_gettid) == lh_syscall0(SYS_getpid);
    case LH_LOOP_NONE:
        return false;
    default:
        /* Names are often set after a thread's first steps: look again, ever more seldom. */
        lh_self.refused++;
        if ((lh_self.refused & (lh_self.refused - 1)) != 0)
            return false;
        lh_syscall5(SYS_prctl, PR_GET_NAME, (long)name, 0, 0, 0);
        return lh_glob_list_match(lh_options.loop_globs, name);
    }
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
    memset(lh_self.turns, 0, sizeof(lh_self.turns));
    lh_self.slot = NULL;
    return NULL;
}

/* The wait is part of another call: a look-up that libc makes for it, say. */
static bool is_inside_call(const struct lh_slot *slot, const struct lh_place *place)
{
    return atomic_load(&slot->sp) > place->frame;
}

/* Has the function that parked so far returned? Its callees are further in than its own waits. */
static bool is_from_outside(const struct lh_slot *slot, const struct lh_place *place)
{
    const struct lh_place *park = &slot->park;
    return place->frame > park->frame || (place->frame == park->frame && place->site == park->site);
}

static int32_t *former_set(struct lh_slot *slot, int epfd)
{
    for (int i = 0; i < LH_FORMER_SETS; i++)
        if (slot->former[i] == epfd)
            return &slot->former[i];
    return NULL;
}

/* One loop has ended, or rests, and another has begun. */
static bool has_moved(struct lh_slot *slot, int epfd, const struct lh_place *place)
{
    return is_from_outside(slot, place) || former_set(slot, epfd) != NULL;
}

static bool set_is_open(const struct lh_slot *slot)
{
    return slot->epfd >= 0 &&
           (lh_fd_is_epoll(slot->epfd) || lh_fd_is(slot->epfd, "anon_inode:[io_uring]"));
}

/* The set so far takes the place of the new one among the former ones, or of the oldest. */
static void park_on(struct lh_slot *slot, int epfd, const struct lh_place *place)
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
    slot->anchor = (struct lh_anchor){.fd = -1};
}

static enum lh_park find(int epfd, enum lh_call call, const struct lh_place *place)
{
    struct lh_slot *slot = own_slot();
    if (slot == NULL) {
        bool found =
            may_watch() && thread_is_wanted() && become_loop(epfd, call, LH_FOUND_BY_CALL) == 0;
        return found ? LH_PARK_OWN : LH_PARK_NONE;
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

enum lh_park lh_park_find(int epfd, enum lh_call call, const struct lh_place *place)
{
    int saved_errno = errno;
    enum lh_park park = find(epfd, call, place);
    errno = saved_errno;
    return park;
}

/* Counted as poll's waits are, by ring instead of call site: no code is at such an address. */
static bool ring_turns(const struct lh_ring_wait *wait)
{
    const struct lh_wait turn = {.site = (uintptr_t)wait->fd + 1, .count = 1};
    return lh_turns_note(lh_self.turns, &turn) != NULL && lh_ring_is_loops(wait);
}

enum lh_park lh_park_begin_ring(const struct lh_ring_wait *wait, enum lh_call call,
                                const struct lh_place *place)
{
    struct lh_slot *slot = lh_self.slot == NULL ? NULL : own_slot();
    enum lh_park park = slot == NULL ? LH_PARK_NONE : LH_PARK_FOREIGN;
    int saved_errno = errno;
    if (slot != NULL && slot->epfd >= 0 && slot->epfd == wait->fd)
        park = LH_PARK_OWN;
    else if (wait->fd >= 0 && ring_turns(wait))
        park = find(wait->fd, call, place);
    if (park == LH_PARK_OWN && lh_park_enter_at(*place))
        lh_victims_give_up(lh_self.slot);
    errno = saved_errno;
    return park;
}

/* A wait that is not known to be the loop's park: does it make one? */
static bool find_wait(struct lh_slot *slot, const struct lh_wait *wait, enum lh_call call)
{
    struct lh_anchor anchor;
    const struct lh_turns *turns = lh_turns_note(lh_self.turns, wait);
    if (LH_LIKELY(turns == NULL) || !lh_anchor_find(&anchor, wait, turns))
        return false;
    if (slot == NULL) {
        if (!may_watch() || !thread_is_wanted() || become_loop(-1, call, LH_FOUND_BY_CALL) != 0)
            return false;
    } else if (lh_anchor_lives(&slot->anchor)) {
        return false; /* a loop inside the loop: a block */
    }
    lh_self.slot->anchor = anchor;
    return true;
}

enum lh_park lh_park_begin_wait(const struct lh_wait *wait, enum lh_call call)
{
    struct lh_slot *slot = lh_self.slot == NULL ? NULL : own_slot();
    int saved_errno = errno;
    bool own = false;
    if (slot == NULL || slot->epfd < 0)
        own = (slot != NULL && lh_anchor_holds(&slot->anchor, wait)) || find_wait(slot, wait, call);
    errno = saved_errno;
    if (!own)
        return slot == NULL ? LH_PARK_NONE : LH_PARK_FOREIGN;
    if (lh_park_enter(wait->frame))
        lh_victims_count_wait(lh_self.slot, wait);
    return LH_PARK_OWN;
}

int lh_loop_enter(void)
{
    struct lh_slot *slot = lh_self.slot;
    if (slot != NULL && atomic_load(&slot->tid) != 0)
        return 0;
    lh_self.slot = NULL;
    return may_watch() ? become_loop(-1, 0, LH_FOUND_BY_API) : 0;
}

void lh_loop_enter_main(void)
{
    if (lh_options.loop_mode != LH_LOOP_MAIN || !may_watch())
        return;
    if (lh_self.slot != NULL)
        lh_self.slot->stays = true; /* found before our constructor */
    else
        become_loop(-1, 0, LH_FOUND_BY_OPTION);
}

void lh_loop_note_python(struct lh_slot *slot)
{
    if (lh_python_is_loaded() && lh_python_find() == 0)
        slot->python_thread = lh_python_thread_state();
    lh_python_threads_learn(slot->python_thread);
}

void lh_loop_leave(void)
{
    if (lh_self.slot != NULL)
        drop(lh_self.slot);
}

void lh_loop_closes(int fd)
{
    struct lh_slot *slot = lh_self.slot;
    int32_t *former = former_set(slot, fd);
    bool own = slot->epfd == fd || slot->anchor.fd == fd;
    /* A child of vfork has its parent's memory, but descriptors of its own. */
    if ((!own && former == NULL) || fd < 0 || !lh_process_is_ours())
        return;
    if (former != NULL)
        *former = -1;
    if (!own)
        return;
    if (!slot->stays) {
        drop(slot);
        return;
    }
    slot->epfd = -1;
    slot->anchor = (struct lh_anchor){.fd = -1};
}
