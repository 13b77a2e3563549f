/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that loop threads have started lately. See births.h. */
#include "preload/state/births.h"

#include "preload/state/chain.h"
#include "preload/sys/cpu.h"
#include "preload/sys/stack_words.h"
#include "preload/sys/syscall.h"

#define USED_BYTES (16u * 1024) /* below the begin of a stack; the smallest have no more */

struct lh_origin_of_thread lh_birth_origin(const struct lh_slot *starter)
{
    struct lh_origin_of_thread origin = {0};
    if (starter != NULL) {
        origin.starter = atomic_load_explicit(&starter->tid, memory_order_relaxed);
        origin.iteration_id = atomic_load_explicit(&starter->iteration_id, memory_order_relaxed);
        origin.loop = starter->loop;
    }
    return origin;
}

static bool is_trace(void *context, uintptr_t at, uintptr_t word)
{
    const struct lh_loop_function *const *loop = context;
    (void)at;
    return lh_chain_is_of(*loop, word);
}

/* glibc hands the stacks of threads that have ended on as they are. What lies further out is in use
 * by ourselves; no copy of the loop's addresses may be left there. */
__attribute__((noinline)) static bool is_used_stack(uintptr_t base,
                                                    const struct lh_loop_function *loop)
{
    uintptr_t from = base - USED_BYTES;
    uintptr_t to = lh_cpu_stack_pointer();
    return loop->at != 0 && to > from && lh_stack_words(from, to - from, is_trace, &loop);
}

/* Who reads a row while it is being written reads a thread 0, or finds that it is another's. */
void lh_birth_note(const struct lh_origin_of_thread *origin, uintptr_t base)
{
    uint32_t number = atomic_fetch_add(&lh_process->births_noted, 1);
    struct lh_birth *birth = &lh_process->births[number % LH_BIRTHS];
    atomic_store(&birth->tid, 0);
    atomic_store(&birth->starter, origin->starter);
    atomic_store(&birth->iteration_id, origin->iteration_id);
    atomic_store(&birth->base, is_used_stack(base, &origin->loop) ? 0 : base);
    atomic_store(&birth->tid, (uint32_t)lh_syscall0(SYS_gettid));
}

static bool is_of(const struct lh_birth *birth, const struct lh_slot *starter)
{
    return atomic_load(&birth->starter) == atomic_load(&starter->tid) &&
           atomic_load(&birth->iteration_id) == atomic_load(&starter->iteration_id);
}

bool lh_birth_next(const struct lh_slot *starter, uint32_t *next, uint32_t *tid, uintptr_t *base)
{
    while (*next < LH_BIRTHS) {
        const struct lh_birth *birth = &lh_process->births[(*next)++];
        *tid = atomic_load(&birth->tid);
        *base = atomic_load(&birth->base);
        if (*tid != 0 && is_of(birth, starter) && atomic_load(&birth->tid) == *tid)
            return true;
    }
    return false;
}
