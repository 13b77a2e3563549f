/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path: what a wrapper stores around one call on a loop thread.
 *
 * Runs on the program's threads, also in its signal handlers. No malloc, no stdio, no locks, no
 * system calls but for the reported calls (block.c). */
#ifndef LH_PRELOAD_WRAP_SCOPE_H
#define LH_PRELOAD_WRAP_SCOPE_H

#include "preload/state/state.h"
#include "preload/strict/rules.h"
#include "preload/sys/clock.h"

/* One call, on the wrapper's stack. */
struct lh_scope {
    struct lh_slot *slot;
    uint64_t seq;     /* 0: not tracked, part of an outer call */
    uint64_t start;   /* as in the slot, which a signal handler's call may take over */
    uint64_t operand; /* the same */
    uint64_t end;     /* set by lh_call_end() */
};

/* Does every call take its end time just now? Then calls are prepared for, too. */
static inline __attribute__((always_inline)) bool lh_scope_is_timed(void)
{
    return atomic_load_explicit(&lh_time_all_calls, memory_order_relaxed) != 0;
}

/* Stores what the call is about to do. One writer: no read-modify-write is needed. The watchdog
 * re-reads seq and sp around its copy. `is_tsc`: the counter is known to be the time-stamp counter.
 */
static inline __attribute__((always_inline)) void
lh_scope_fill(struct lh_scope *scope, uintptr_t sp, uint32_t call, uint64_t operand, bool is_tsc)
{
    struct lh_slot *slot = scope->slot;
    scope->seq = atomic_load_explicit(&slot->seq, memory_order_relaxed) + 1;
    atomic_store_explicit(&slot->seq, scope->seq, memory_order_release);
    lh_slot_fields_follow();
    slot->call = call;
    slot->operand = scope->operand = operand;
    lh_cpu_registers(&slot->registers);
    slot->start = scope->start = is_tsc ? lh_cpu_counter() : lh_counter();
    atomic_store_explicit(&slot->sp, sp, memory_order_release);
}

static inline __attribute__((always_inline)) void lh_scope_enter(struct lh_scope *scope,
                                                                 uint32_t call, uint64_t operand)
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
    lh_scope_fill(scope, sp, call, operand, false);
}

/* The same in the common case. False, and nothing is done: it is another one. */
static inline __attribute__((always_inline)) bool
lh_scope_enter_untimed(struct lh_scope *scope, uint32_t call, uint64_t operand)
{
    struct lh_slot *slot = lh_self.slot;
    if (LH_UNLIKELY(lh_scope_is_timed()) || LH_UNLIKELY(!lh_counter_is_tsc) ||
        LH_UNLIKELY(atomic_load_explicit(&slot->sp, memory_order_relaxed) != 0))
        return false;
    scope->slot = slot;
    scope->end = 0;
    lh_scope_fill(scope, lh_cpu_stack_pointer(), call, operand, true);
    return true;
}

/* Before a call, while all are timed. LH_WAITS_NO: nobody wants to know whether it could wait;
 * LH_WAITS_UNWANTED: in strict mode, nor how long it takes, and it need not be finished;
 * LH_WAITS_ASK: its rule is to be asked; LH_WAITS_NOISE and above: what it is, is known already. */
enum lh_waits lh_call_ask(uint32_t call);

/* The same, with the rule's answer: starts the watchdog that a fork has stopped, so that a call
 * that never returns is seen. Returns what lh_call_finish() is to be told: strict mode's answer. */
enum lh_waits lh_call_prepare(uint32_t call, enum lh_waits waits);

/* Takes the end time, once: what is decided later is decided about that, also where the thread
 * loses its processor meanwhile. True: it has taken the threshold. Then a wrapper asks whether it
 * can have waited at all: never.h. */
bool lh_call_end(struct lh_scope *scope);

/* Decides about a call that has ended and may have to be reported: compares, captures. errno is the
 * program's before and after. `result` matters for LH_WAITS_IF_* only. `error`: what it failed
 * with; LH_ERROR_IN_ERRNO: errno says it. */
#define LH_ERROR_IN_ERRNO (-1)
void lh_call_finish(const struct lh_scope *scope, uint32_t call, enum lh_waits waits, long result,
                    int error);

/* A tracked call ends: does it need a closer look? */
static inline __attribute__((always_inline)) bool
lh_scope_leave_tracked(const struct lh_scope *scope)
{
    atomic_store_explicit(&scope->slot->sp, 0, memory_order_release);
    return LH_UNLIKELY(atomic_load_explicit(&scope->slot->marked, memory_order_relaxed) >=
                       scope->seq) ||
           LH_UNLIKELY(lh_scope_is_timed()) ||
           /* A signal handler's inside the park, where the watchdog does not look. */
           LH_UNLIKELY(atomic_load_explicit(&scope->slot->parked, memory_order_relaxed) != 0);
}

/* The same for one that may be part of another call. */
static inline __attribute__((always_inline)) bool lh_scope_leave(const struct lh_scope *scope)
{
    return LH_LIKELY(scope->seq != 0) && lh_scope_leave_tracked(scope);
}

#endif
