/* SPDX-License-Identifier: Apache-2.0 */
/* Has the function that runs a loop returned? See home.h. Any thread; raw system calls, no libc
 * state, no malloc, no locks. */
#include "preload/state/home.h"

#include <string.h>

#include "preload/state/pollers.h"
#include "preload/state/record.h"
#include "preload/sys/clock.h"
#include "preload/sys/memory.h"
#include "preload/sys/signals.h"

#define QUESTIONS  8    /* of one loop thread at most */
#define REFUSALS   1000 /* parks at which there was no room for one */
#define ITERATIONS 256  /* that are looked at closely after a question */
#define SETTLED    3    /* parks in one place: a function of a known name runs more than one turn */
#define TRUSTED    3    /* iterations in which a guessed function was seen to stay */

/* What is outside of a guessed function for so long is told: it may be a handler that hangs. */
#define DOUBT_NS (30 * LH_NS_PER_S)

/* Copies it. False: there is none yet, or its place has been given to a later question. */
static bool read_answer(const struct lh_slot *slot, struct lh_home *answer)
{
    const struct lh_ring *ring = atomic_load(&lh_process->ring);
    uint32_t asked = slot->home.asked;
    if (ring == NULL || asked == 0)
        return false;
    const struct lh_home *home = &ring->homes[asked % LH_HOMES];
    if (atomic_load_explicit(&home->answers, memory_order_acquire) != asked)
        return false;
    memcpy(answer, home, sizeof(*answer));
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&home->answers, memory_order_relaxed) == asked &&
           answer->count > 0 && answer->count <= LH_HOME_FRAMES;
}

/* What cannot be read, as under a filter of system calls, has not been seen to have gone. */
static bool holds(const struct lh_home_frame *frame)
{
    uint64_t word;
    return lh_memory_read_self(&word, frame->at, sizeof(word)) != 0 || word == frame->returns_to;
}

/* The innermost of the frames that are still there, by the words of the stack, and by where the
 * stack ends now as far as that is known and of this stack. */
static uint32_t innermost(const struct lh_home *home, uintptr_t stack)
{
    uint32_t frame = home->count;
    while (frame > 0 && holds(&home->frames[frame - 1]))
        frame--;
    while (frame + 1 < home->count && stack > home->frames[frame].at &&
           stack < home->frames[home->count - 1].at)
        frame++;
    return frame;
}

/* Python's own functions run in one frame of C, and those of a greenlet on a stack that is copied
 * away: then the frames tell where the thread's own functions run a loop of a known name. */
static bool tells_loop(const struct lh_slot *slot, const struct lh_home *home)
{
    return slot->python_thread == 0 || (slot->place.runs == LH_PYTHON_RUNS_NOTHING &&
                                        slot->place.is_threads && home->kind != LH_HOME_GUESSED);
}

static uint64_t iteration_of(const struct lh_slot *slot)
{
    return atomic_load_explicit(&slot->iteration_id, memory_order_relaxed);
}

static void note_inside(struct lh_slot *slot, uintptr_t stack)
{
    uint64_t iteration = iteration_of(slot);
    if (stack != 0 && atomic_exchange(&slot->home.inside_in, iteration) != iteration)
        atomic_fetch_add(&slot->home.inside, 1);
    if (atomic_load(&slot->home.left) == iteration) { /* it has been called once more */
        atomic_store(&slot->home.left, 0);
        atomic_store(&slot->left_iteration, 0);
    }
}

static bool hangs(const struct lh_slot *slot)
{
    uint64_t now = lh_counter();
    return now > slot->iteration_start &&
           lh_counter_to_ns(now - slot->iteration_start) >= (uint64_t)DOUBT_NS;
}

static enum lh_home_look doubt(struct lh_slot *slot, const struct lh_home *home, uint32_t frame)
{
    bool guessed = home->kind == LH_HOME_GUESSED;
    uint64_t iteration = iteration_of(slot);
    if (atomic_exchange(&slot->home.outside_in, iteration) != iteration ||
        frame > atomic_load(&slot->home.intact))
        atomic_store(&slot->home.intact, frame);
    atomic_store(&slot->home.left, iteration);
    if (guessed && (atomic_load(&slot->home.inside) < TRUSTED || hangs(slot)))
        return LH_HOME_INSIDE;
    return LH_HOME_DOUBT;
}

enum lh_home_look lh_home_look(struct lh_slot *slot)
{
    struct lh_home home;
    uintptr_t stack = atomic_load(&slot->sp);
    if (atomic_load(&slot->home.exits) != 0)
        return LH_HOME_OUTSIDE;
    if (!read_answer(slot, &home) || iteration_of(slot) == 0)
        return LH_HOME_INSIDE;
    if (stack == 0)
        stack = atomic_load(&slot->home.stack);
    uint32_t frame = innermost(&home, stack);
    if (home.main < home.count && frame > home.main)
        return LH_HOME_OUTSIDE;
    if (!tells_loop(slot, &home))
        return LH_HOME_INSIDE;
    bool inside = frame <= atomic_load(&slot->home.begins);
    /* Of a thread that runs not all is known: words stay until others are put there. */
    if (inside && stack == 0 && atomic_load(&slot->left_iteration) == iteration_of(slot))
        return atomic_load(&slot->home.left) == iteration_of(slot) ? LH_HOME_DOUBT
                                                                   : LH_HOME_OUTSIDE;
    if (inside) {
        note_inside(slot, stack);
        return LH_HOME_INSIDE;
    }
    return home.kind == LH_HOME_RUNS ? LH_HOME_OUTSIDE : doubt(slot, &home, frame);
}

__attribute__((noinline)) static bool ask(struct lh_slot *slot, uint32_t question)
{
    struct lh_call_copy copy = {.tid = atomic_load(&slot->tid)};
    lh_cpu_registers(&copy.registers);
    struct lh_record *record = lh_record_begin(LH_EVENT_HOME, &copy, 0, true);
    if (record == NULL)
        return false;
    record->id = question;
    if (record->stack_length == 0) { /* the user wants none; this one is not shown */
        record->stack_length =
            (uint32_t)lh_memory_copy_self(record->stack, copy.registers.sp, lh_options.stack_bytes);
        record->stack_address = copy.registers.sp;
    }
    lh_record_publish(record);
    return true;
}

static bool has_settled(const struct lh_slot *slot)
{
    struct lh_home home;
    return read_answer(slot, &home) && home.kind != LH_HOME_GUESSED &&
           ITERATIONS - slot->home.studied >= SETTLED;
}

/* It parks by another function. Where the one before has run for long, what came between was in
 * neither. */
static void leave(struct lh_slot *slot)
{
    if (atomic_load(&slot->home.outside_in) == iteration_of(slot) && !has_settled(slot))
        atomic_store(&slot->left_iteration, 0);
}

static void forget(struct lh_slot *slot)
{
    slot->home.asked = 0;
    slot->home.studied = 0;
    atomic_store(&slot->home.begins, 0);
    atomic_store(&slot->home.inside, 0);
    atomic_store(&slot->home.left, 0);
    atomic_store(&slot->home.outside_in, 0);
}

/* Reports come first: where the ring has others to carry it is for a later park. Strict mode is to
 * lose none, and what comes after a call does not matter to it. */
static bool may_ask(struct lh_slot *slot)
{
    const struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (lh_options.strict != 0 || slot->home.questions >= QUESTIONS || slot->stays ||
        slot->place.runs == LH_PYTHON_RUNS_LOOP || lh_poller_may_be(slot))
        return false;
    if (ring != NULL && lh_ring_is_calm(ring))
        return true;
    if (slot->home.refusals++ < REFUSALS)
        slot->home.park = 0;
    return false;
}

void lh_home_ask(struct lh_slot *slot, uintptr_t frame)
{
    if (slot->home.park != 0)
        leave(slot);
    forget(slot);
    slot->home.park = frame;
    if (!may_ask(slot))
        return;
    uint64_t signals = lh_signals_block();
    uint32_t question = atomic_fetch_add(&lh_process->next_home, 1) + 1;
    if (ask(slot, question)) {
        slot->home.asked = question;
        slot->home.questions++;
        slot->home.studied = ITERATIONS;
        slot->home.calls = 0;
    }
    lh_signals_restore(signals);
}

/* The loop goes on: what was seen outside of the function was inside one further out. */
static void move_out(struct lh_slot *slot)
{
    atomic_store(&slot->home.begins, atomic_load(&slot->home.intact));
    atomic_store(&slot->home.inside, 0);
    atomic_store(&slot->left_iteration, 0);
}

void lh_home_parks(struct lh_slot *slot, uintptr_t frame)
{
    uint64_t iteration = iteration_of(slot);
    if (slot->home.asked == 0 || iteration == 0 || atomic_load(&slot->home.outside_in) != iteration)
        return;
    if (frame == slot->home.park) {
        move_out(slot);
        return;
    }
    lh_home_ask(slot, frame);
}

void lh_home_study(struct lh_slot *slot)
{
    struct lh_home home;
    if (slot->home.studied == 0 || (read_answer(slot, &home) && home.kind == LH_HOME_RUNS))
        return;
    slot->home.studied--;
    slot->home.calls = 0;
    atomic_store_explicit(&slot->marked, LH_MARKED_ALL, memory_order_relaxed);
}
