/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread waits for in Python's terms.
 *
 * Runs on the watchdog, while other threads run: no malloc, no libc state; memory is read through
 * walk->view only, and the number of steps is bounded.
 *
 * What is written in Python (Lib/threading.py, Lib/queue.py, Lib/concurrent/futures/_base.py) is
 * known by its innermost functions and their `self`. A lock of C's is among what the innermost
 * function works with: the one whose semaphore the thread waits on, or (3.13) in which its address
 * in the parking lot lies. */
#include "preload/python/awaited.h"

#include <stddef.h>

#include "preload/python/attribute.h"
#include "preload/python/future.h"
#include "preload/python/held.h"
#include "preload/python/names.h"
#include "preload/python/object.h"
#include "preload/python/threads.h"
#include "preload/python/walk.h"

#define LOCK_BYTES 128u /* no object that has a lock in it is larger */

static const struct rule {
    const char *file;
    const char *function;
    const char *class; /* of `self`, or derived from it */
    enum lh_awaited_kind kind;
} rules[] = {
    {"threading.py", "join", "Thread", LH_AWAITED_THREAD},
    {"threading.py", "_wait_for_tstate_lock", "Thread", LH_AWAITED_THREAD},
    {"threading.py", "wait", "Event", LH_AWAITED_EVENT},
    {"threading.py", "wait", "Condition", LH_AWAITED_CONDITION},
    {"threading.py", "wait_for", "Condition", LH_AWAITED_CONDITION},
    {"threading.py", "wait", "Barrier", LH_AWAITED_BARRIER},
    {"threading.py", "_wait", "Barrier", LH_AWAITED_BARRIER},
    {"threading.py", "acquire", "Semaphore", LH_AWAITED_SEMAPHORE},
    {"queue.py", "get", "Queue", LH_AWAITED_QUEUE},
    {"queue.py", "put", "Queue", LH_AWAITED_QUEUE},
    {"queue.py", "join", "Queue", LH_AWAITED_QUEUE},
    {"concurrent/futures/_base.py", "result", "Future", LH_AWAITED_FUTURE},
    {"concurrent/futures/_base.py", "exception", "Future", LH_AWAITED_FUTURE},
};

static const struct {
    const char *type;
    enum lh_awaited_kind kind;
} locks[] = {
    {"_thread.lock", LH_AWAITED_LOCK},
    {"_thread.RLock", LH_AWAITED_RLOCK},
    {"_queue.SimpleQueue", LH_AWAITED_QUEUE},
};

/* Words after the header of an RLock: its lock, and the pthread_t of who has it. */
enum { LOCK_SEMAPHORE = 0, RLOCK_OWNER = 1 };

struct search {
    uintptr_t semaphore;
    uintptr_t parked; /* what it waits for in the parking lot; 0: no such thing */
    uint32_t frames;
    struct lh_python_awaited *awaited;
};

static enum lh_awaited_kind kind_of_lock(const struct lh_python_walk *walk, uintptr_t object)
{
    uintptr_t type = lh_python_type(walk, object);
    for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
        if (lh_python_type_is(walk, type, locks[i].type))
            return locks[i].kind;
    return LH_AWAITED_NONE;
}

static bool is_lock(const struct lh_python_walk *walk, uintptr_t object, const void *context)
{
    const struct search *search = context;
    bool parks = search->parked != 0 && search->parked - object < LOCK_BYTES;
    if (!parks &&
        lh_python_member(walk, object, LOCK_SEMAPHORE * LH_PYTHON_WORD) != search->semaphore)
        return false;
    return kind_of_lock(walk, object) != LH_AWAITED_NONE;
}

static uintptr_t self_of(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    return lh_python_word(walk, step->frame + walk->layout->at.frame_locals) &
           ~LH_PYTHON_REFERENCE_BITS;
}

static const struct rule *rule_of(const struct lh_python_walk *walk,
                                  const struct lh_python_step *step)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (lh_python_name_ends(walk, step->qualname, rules[i].function, '.') &&
            lh_python_name_ends(walk, step->filename, rules[i].file, '/') &&
            lh_python_is_a(walk, self_of(walk, step), rules[i].class))
            return &rules[i];
    return NULL;
}

/* An Event has a Condition, which has a Lock: of functions that know theirs the outermost. */
static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct search *search = context;
    struct lh_python_awaited *awaited = search->awaited;
    const struct rule *rule = rule_of(walk, step);
    if (rule != NULL) {
        awaited->kind = rule->kind;
        awaited->object = self_of(walk, step);
    } else if (search->frames == 0) {
        awaited->object = lh_python_frame_search(walk, step, is_lock, search);
        if (awaited->object != 0)
            awaited->kind = kind_of_lock(walk, awaited->object);
    }
    search->frames++;
    return rule != NULL;
}

/* A thread that waits in its own `with` statement of the lock. */
static void find_holder_of_lock(const struct lh_python_walk *walk,
                                const struct lh_python_waiter *waiter,
                                struct lh_python_awaited *awaited)
{
    awaited->is_own = lh_python_hold_find(walk->layout, walk->view.read, waiter->state,
                                          awaited->object) == LH_PYTHON_HOLDS_WITH;
}

static void find_owner_of_rlock(const struct lh_python_walk *walk,
                                const struct lh_python_waiter *waiter,
                                struct lh_python_awaited *awaited)
{
    uintptr_t owner = lh_python_member(walk, awaited->object, RLOCK_OWNER * LH_PYTHON_WORD);
    awaited->owner_tid = lh_python_thread_of(waiter->state, owner, &awaited->owner_state);
}

static void find_joined(const struct lh_python_walk *walk, const struct lh_python_waiter *waiter,
                        struct lh_python_awaited *awaited)
{
    uint64_t tid;
    uintptr_t number = lh_python_attribute(walk, awaited->object, "_native_id");
    if (!lh_python_number(walk, number, &tid) || tid == 0 || tid > INT32_MAX)
        return;
    awaited->owner_tid = (uint32_t)tid;
    awaited->owner_state = lh_python_thread_find(waiter->state, (uint32_t)tid);
}

/* struct wait_entry of Python/parking_lot.c has the address before its semaphore. */
static uintptr_t parked_at(const struct lh_python_walk *walk, uintptr_t semaphore)
{
    return walk->layout->at.instance_values == LH_PYTHON_VALUES_INLINE
               ? lh_python_word(walk, semaphore - sizeof(uintptr_t))
               : 0;
}

bool lh_python_frame_waits_for_queue(const struct lh_python_walk *walk,
                                     const struct lh_python_step *step, uintptr_t semaphore)
{
    /* Among the values are old ones, which may lead anywhere. */
    const struct lh_python_walk careful = {.view = {.read = lh_memory_read_self},
                                           .layout = walk->layout};
    const struct search search = {.semaphore = semaphore, .parked = parked_at(&careful, semaphore)};
    uintptr_t object = lh_python_frame_search(&careful, step, is_lock, &search);
    return object != 0 && kind_of_lock(&careful, object) == LH_AWAITED_QUEUE;
}

void lh_python_awaited_find(const struct lh_python_layout *layout, lh_memory_read *read,
                            const struct lh_python_waiter *waiter,
                            struct lh_python_awaited *awaited)
{
    static void (*const finders[LH_AWAITED_COUNT])(const struct lh_python_walk *,
                                                   const struct lh_python_waiter *,
                                                   struct lh_python_awaited *) = {
        [LH_AWAITED_LOCK] = find_holder_of_lock,
        [LH_AWAITED_RLOCK] = find_owner_of_rlock,
        [LH_AWAITED_THREAD] = find_joined,
        [LH_AWAITED_FUTURE] = lh_python_future_find,
    };
    struct lh_python_walk walk = {.view = {.read = read}, .layout = layout};
    struct search search = {.semaphore = waiter->operand, .awaited = awaited};
    *awaited = (struct lh_python_awaited){.kind = LH_AWAITED_NONE};
    search.parked = parked_at(&walk, waiter->operand);
    (void)lh_python_walk_out(&walk, waiter->state, visit, &search);
    if (finders[awaited->kind] != NULL)
        finders[awaited->kind](&walk, waiter, awaited);
    if (awaited->owner_tid == waiter->tid)
        awaited->is_own = true;
}
