/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper of pthread_create(3): a thread that begins with a name that the user has named is a
 * loop thread from its first instruction on; and one that a loop thread starts may take its place
 * (state/in_loop.h). Where no names are asked for it ends in a jump.
 *
 * Runs on the program's threads; no malloc, no stdio, no locks. */
#include <pthread.h>

#include "preload/loop/loop.h"
#include "preload/loop/wanted.h"
#include "preload/state/births.h"
#include "preload/state/chain.h"
#include "preload/state/state.h"
#include "preload/wrap/hooks.h"
#include "preload/wrap/wrapping.h"

#define BEGINNINGS 64 /* threads that are being started; more begin without us */

typedef void *start_routine(void *argument);

/* What a new thread is to run, until it runs. */
struct beginning {
    _Atomic uint32_t taken;
    start_routine *start;
    void *argument;
    struct lh_origin_of_thread origin;
};

static struct beginning beginnings[BEGINNINGS];

REAL(pthread_create, "pthread_create", "", int,
     (pthread_t * thread, const pthread_attr_t *attributes, start_routine *start, void *argument),
     (thread, attributes, start, argument))

static struct beginning *take(start_routine *start, void *argument)
{
    for (int i = 0; i < BEGINNINGS; i++) {
        if (atomic_exchange(&beginnings[i].taken, 1) != 0)
            continue;
        beginnings[i].start = start;
        beginnings[i].argument = argument;
        beginnings[i].origin = lh_birth_origin(lh_self.slot);
        return &beginnings[i];
    }
    return NULL;
}

/* Ends in a jump: no frame of ours is on the thread's stack. */
static void *begin(void *argument)
{
    struct beginning *beginning = argument;
    start_routine *start = beginning->start;
    argument = beginning->argument;
    if (beginning->origin.starter != 0)
        lh_birth_note(&beginning->origin, (uintptr_t)__builtin_frame_address(0));
    atomic_store(&beginning->taken, 0);
    lh_loop_named(NULL);
    return start(argument);
}

/* errno stays: raw system calls alone. */
static void note_start(struct lh_slot *slot)
{
    slot->started_in = atomic_load_explicit(&slot->iteration_id, memory_order_relaxed);
    slot->loop = lh_chain_loop(slot);
}

EXPORTED int wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 start_routine *start, void *argument) __asm__("pthread_create");
int wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, start_routine *start,
                        void *argument)
{
    struct lh_slot *slot = lh_self.slot;
    if (LH_UNLIKELY(slot != NULL))
        note_start(slot);
    lh_before_loop_may_come();
    bool named = LH_UNLIKELY(lh_options.loop_mode == LH_LOOP_GLOBS) && lh_loop_goes_by_names();
    struct beginning *beginning = LH_UNLIKELY(slot != NULL || named) ? take(start, argument) : NULL;
    if (LH_LIKELY(beginning == NULL))
        return FORWARD(pthread_create, (thread, attributes, start, argument));
    int error = FORWARD(pthread_create, (thread, attributes, begin, beginning));
    if (error != 0)
        atomic_store(&beginning->taken, 0);
    return error;
}
