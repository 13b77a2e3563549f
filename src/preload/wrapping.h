/* What wrappers are made of: the real function, and a call of it inside a scope. For wrappers.c and
 * wrap_syscall.c only; runs on the program's threads. */
#ifndef LH_PRELOAD_WRAPPING_H
#define LH_PRELOAD_WRAPPING_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "preload/leaving.h"
#include "preload/loop.h"
#include "preload/real.h"
#include "preload/scope.h"
#include "preload/strict.h"
#include "preload/subject.h"

#define EXPORTED __attribute__((visibility("default"), used))

/* The stack of the program's caller ends just above it. */
#define FRAME ((uintptr_t)__builtin_frame_address(0))

/* How a call tells its error: the `fails` column. */
#define ERROR_MINUS_1(returned) ((returned) == -1 ? errno : 0)
#define ERROR_CODE(returned)    ((int)(returned))
#define ERROR_NULLPTR(returned) ((returned) == NULL ? errno : 0)
#define ERROR_NO(returned)      0

/* real_<row> begins as first_<row>, which looks the function up and stays out of the way. */
#define REAL(row, symbol, version, ret, params, args)                                              \
    static ret first_##row params;                                                                 \
    static ret(*_Atomic real_##row) params = first_##row;                                          \
    static ret first_##row params                                                                  \
    {                                                                                              \
        ret(*real) params = (ret(*) params)lh_real(symbol, version);                               \
        atomic_store_explicit(&real_##row, real, memory_order_relaxed);                            \
        return real args;                                                                          \
    }
#define FORWARD(row, args) atomic_load_explicit(&real_##row, memory_order_relaxed) args

/* One scope and one call: `name` is a function that reports what `forward` does as `symbol`. */
#define TRACKED(name, symbol, subject_expr, fails, rule, rule_args, ret, params, forward)          \
    __attribute__((noinline)) static ret name params                                               \
    {                                                                                              \
        LH_UNWINDS;                                                                                \
        struct lh_scope scope;                                                                     \
        enum lh_waits waits = LH_WAITS_NO;                                                         \
        if (LH_UNLIKELY(lh_scope_is_timed()) && lh_call_prepare(LH_CALL_##symbol))                 \
            waits = lh_rule_##rule rule_args;                                                      \
        lh_scope_enter(&scope, LH_CALL_##symbol, (uint64_t)(subject_expr));                        \
        ret returned = forward;                                                                    \
        if (LH_UNLIKELY(lh_scope_leave(&scope)))                                                   \
            lh_call_finish(&scope, LH_CALL_##symbol, waits, (long)returned,                        \
                           ERROR_##fails(returned));                                               \
        return returned;                                                                           \
    }

#endif
