/* The fast path: what a wrapper stores around one call on a loop thread.
 *
 * Runs on the program's threads, also in its signal handlers. No malloc, no stdio, no locks, no
 * system calls but for the reported calls (call.c). */
#ifndef LH_PRELOAD_SCOPE_H
#define LH_PRELOAD_SCOPE_H

#include "preload/clock.h"
#include "preload/state.h"

/* Could the call have waited? Only asked in strict mode. */
enum lh_waits {
    LH_WAITS_NO,
    LH_WAITS_YES,
    LH_WAITS_IF_OPENED, /* the result says: a descriptor of a disk file or FIFO */
    LH_WAITS_IF_STREAM, /* the same, and the result is a FILE * */
};

/* One call, on the wrapper's stack. */
struct lh_scope {
    struct lh_slot *slot;
    uint64_t seq;     /* 0: not tracked, part of an outer call */
    uint64_t start;   /* as in the slot, which a signal handler's call may take over */
    uint64_t subject; /* the same */
};

static inline __attribute__((always_inline)) void
lh_scope_enter(struct lh_scope *scope, enum lh_call call, uint64_t subject)
{
    struct lh_slot *slot = lh_self.slot;
    uintptr_t sp = lh_cpu_stack_pointer();
    uintptr_t outer = atomic_load_explicit(&slot->sp, memory_order_relaxed);
    scope->slot = slot;
    scope->seq = 0;
    if (LH_UNLIKELY(outer != 0)) {
        if (outer > sp)
            return;
        /* Deeper than we are: left behind by a siglongjmp or a cancelled call. */
        atomic_store_explicit(&slot->sp, 0, memory_order_relaxed);
    }
    /* One writer: no read-modify-write is needed. The watchdog re-reads seq and sp around its copy.
     */
    scope->seq = atomic_load_explicit(&slot->seq, memory_order_relaxed) + 1;
    atomic_store_explicit(&slot->seq, scope->seq, memory_order_release);
    slot->call = call;
    slot->subject = scope->subject = subject;
    lh_cpu_registers(&slot->registers);
    slot->start = scope->start = lh_counter();
    atomic_store_explicit(&slot->sp, sp, memory_order_release);
}

/* Does every call take its end time just now? Then calls are prepared for, too. */
static inline __attribute__((always_inline)) bool lh_scope_is_timed(void)
{
    return atomic_load_explicit(&lh_time_all_calls, memory_order_relaxed) != 0;
}

/* Before a call, while all are timed: starts the watchdog that a fork has stopped, so that a call
 * that never returns is seen. True: strict mode wants to know whether the call could wait. */
bool lh_call_prepare(enum lh_call call);

/* Decides about a call that may have to be reported: takes the end time, compares, captures. errno
 * is the program's before and after. `result` matters for LH_WAITS_IF_* only. */
void lh_call_finish(const struct lh_scope *scope, enum lh_call call, enum lh_waits waits,
                    long result, int error);

/* Does the call that ends here need a closer look? */
static inline __attribute__((always_inline)) bool lh_scope_leave(const struct lh_scope *scope)
{
    if (LH_UNLIKELY(scope->seq == 0))
        return false;
    atomic_store_explicit(&scope->slot->sp, 0, memory_order_release);
    return LH_UNLIKELY(atomic_load_explicit(&scope->slot->marked, memory_order_relaxed) >=
                       scope->seq) ||
           LH_UNLIKELY(lh_scope_is_timed()) ||
           /* A signal handler's inside the park, where the watchdog does not look. */
           LH_UNLIKELY(atomic_load_explicit(&scope->slot->parked, memory_order_relaxed) != 0);
}

#endif
