/* SPDX-License-Identifier: Apache-2.0 */
/* What wrappers are made of: the real function, and a call of it inside a scope. For wrappers.c and
 * wrap_syscall.c only; runs on the program's threads. */
#ifndef LH_PRELOAD_WRAP_WRAPPING_H
#define LH_PRELOAD_WRAP_WRAPPING_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "common/call_columns.h"
#include "preload/loop/loop.h"
#include "preload/state/meet.h"
#include "preload/state/resource.h"
#include "preload/state/waiting.h"
#include "preload/strict/never.h"
#include "preload/strict/rules.h"
#include "preload/sys/libc.h"
#include "preload/wrap/nonlocal_exit.h"
#include "preload/wrap/scope.h"

#define EXPORTED __attribute__((visibility("default"), used))

/* The stack of the program's caller ends just above it. */
#define FRAME ((uintptr_t)__builtin_frame_address(0))

/* real_<row> begins as first_<row>, which looks the function up at its first call and stays out of
 * the way. So a start costs nothing for what is never called. */
#define REAL(row, symbol, version, ret, params, args)                                              \
    static ret first_##row params;                                                                 \
    static ret(*_Atomic real_##row) params = first_##row;                                          \
    static ret first_##row params                                                                  \
    {                                                                                              \
        ret(*real) params = (ret(*) params)lh_real(symbol, version);                               \
        RESOLVED(row, real);                                                                       \
        return real args;                                                                          \
    }
/* Only the first one counts: meet_<row> may stand there by now. */
#define RESOLVED(row, real)                                                                        \
    do {                                                                                           \
        __typeof__(&first_##row) first_ = first_##row;                                             \
        if (lh_libc_has((void *)(real)))                                                           \
            atomic_compare_exchange_strong(&real_##row, &first_, real);                            \
    } while (0)

/* Looks it up before it is called. */
#define RESOLVE(row, look_up, symbol, version)                                                     \
    do {                                                                                           \
        if (atomic_load_explicit(&real_##row, memory_order_relaxed) == first_##row) {              \
            __typeof__(&first_##row) found_ = (__typeof__(&first_##row))look_up(symbol, version);  \
            RESOLVED(row, found_);                                                                 \
        }                                                                                          \
    } while (0)

/* Stands before a real function while a loop was found whose thread does not know it yet: the call
 * of that thread is then one on a loop thread. See state/meet.h. Ends in a jump. */
#define MEETING(row, wrapper, ret, params, args)                                                   \
    static ret(*_Atomic kept_##row) params;                                                        \
    static ret meet_##row params                                                                   \
    {                                                                                              \
        if (LH_UNLIKELY(lh_self.slot == NULL) && lh_meet())                                        \
            return wrapper args;                                                                   \
        atomic_thread_fence(memory_order_acquire); /* ASK kept it before it put this here */       \
        return atomic_load_explicit(&kept_##row, memory_order_relaxed) args;                       \
    }

/* One that is not looked up yet, for there was none, does not ask. */
#define ASK(row, on)                                                                               \
    do {                                                                                           \
        __typeof__(&first_##row) now_ = atomic_load(&real_##row);                                  \
        if ((on) && now_ != meet_##row && now_ != first_##row) {                                   \
            atomic_store(&kept_##row, now_);                                                       \
            atomic_store(&real_##row, meet_##row);                                                 \
        } else if (!(on) && now_ == meet_##row) {                                                  \
            atomic_store(&real_##row, atomic_load(&kept_##row));                                   \
        }                                                                                          \
    } while (0)

#define FORWARD(row, args) atomic_load_explicit(&real_##row, memory_order_relaxed) args

/* What a scope wants to know of a row's columns: see common/call_columns.h. */
#define VALUE_OPERAND(kind, ...) , (__VA_ARGS__),
#define RULE_WAITS(rule, ...)    , lh_rule_##rule(__VA_ARGS__),
#define NEVER_WAITS(rule, ...)   , lh_never_##rule(__VA_ARGS__),
#define ERROR_FAILS(how)         , ERROR_##how,

#define ERROR_MINUS_1(returned) ((returned) == -1 ? LH_ERROR_IN_ERRNO : 0)
#define ERROR_CODE(returned)    ((int)(returned))
#define ERROR_NULLPTR(returned) ((returned) == NULL ? LH_ERROR_IN_ERRNO : 0)
#define ERROR_NO(returned)      0

/* A call of row `call` has returned, and may have to be told. */
#define FINISH(scope, call, waits, returned, ...)                                                  \
    do {                                                                                           \
        if (lh_call_end(scope) && (waits) == LH_WAITS_NO && LH_COLUMN(NEVER, false, __VA_ARGS__))  \
            (waits) = LH_WAITS_NEVER;                                                              \
        lh_call_finish(scope, call, waits, (long)(returned),                                       \
                       LH_COLUMN(ERROR, ERROR_MINUS_1, __VA_ARGS__)(returned));                    \
    } while (0)

/* One scope and one call: `name` is a function that reports what `forward` does as `call`. In the
 * common case nothing is called before that, so nothing has to be kept where a callee leaves it;
 * for the others there is asked_<name>. */
#define TRACKED(name, call, ret, params, args, forward, ...)                                       \
    __attribute__((noinline)) static ret asked_##name params                                       \
    {                                                                                              \
        LH_PERSONALITY;                                                                            \
        struct lh_scope scope;                                                                     \
        enum lh_waits waits = LH_WAITS_NO;                                                         \
        if (LH_UNLIKELY(lh_scope_is_timed()))                                                      \
            waits = lh_call_ask(call);                                                             \
        if (LH_UNLIKELY(waits == LH_WAITS_ASK))                                                    \
            waits = lh_call_prepare(call, LH_COLUMN(RULE, lh_rule_always(), __VA_ARGS__));         \
        lh_scope_enter(&scope, call, (uint64_t)LH_COLUMN(VALUE, 0, __VA_ARGS__));                  \
        ret returned = forward;                                                                    \
        if (lh_scope_leave(&scope) && waits != LH_WAITS_UNWANTED)                                  \
            FINISH(&scope, call, waits, returned, __VA_ARGS__);                                    \
        return returned;                                                                           \
    }                                                                                              \
    __attribute__((noinline)) static ret name params                                               \
    {                                                                                              \
        LH_PERSONALITY;                                                                            \
        struct lh_scope scope;                                                                     \
        /* Not in the condition: what it may point to would live no longer than that. */           \
        const uint64_t operand = (uint64_t)LH_COLUMN(VALUE, 0, __VA_ARGS__);                       \
        if (LH_UNLIKELY(!lh_scope_enter_untimed(&scope, call, operand)))                           \
            return asked_##name args;                                                              \
        ret returned = forward;                                                                    \
        if (LH_UNLIKELY(lh_scope_leave_tracked(&scope))) {                                         \
            struct lh_scope ended = scope; /* the one above stays in registers */                  \
            enum lh_waits waits = LH_WAITS_NO;                                                     \
            FINISH(&ended, call, waits, returned, __VA_ARGS__);                                    \
        }                                                                                          \
        return returned;                                                                           \
    }

#endif
