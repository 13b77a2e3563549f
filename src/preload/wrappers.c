/* The wrappers: one per row of src/calls.def, made by the preprocessor.
 *
 * Runs on the program's threads, in its signal handlers, before our constructor and in children of
 * fork and vfork. Off the loop a wrapper is one look at a thread-local pointer and a jump. No
 * malloc, no stdio, no locks.
 *
 * Each wrapper is a C function of its own name that is exported under libc's (an assembler label),
 * so that libc's headers, with their attributes and macros, and our definitions do not meet.
 * Variadic system calls have their longest fixed form: in the System V AMD64 ABI (3.5.7) the fixed
 * and the variadic form take their arguments in the same registers, and libc reads a mode or an
 * argument that was not passed no more than it would have; it is handed on unread. printf and its
 * like may be passed floating-point numbers too: they hand a va_list on to libc's own form for one.
 */
#include <aio.h>
#include <aliases.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <gshadow.h>
#include <mqueue.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <shadow.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wchar.h>
#include <wordexp.h>

#include "preload/dlopen.h"
#include "preload/gil.h"
#include "preload/hooks.h"
#include "preload/locks.h"
#include "preload/standby.h"
#include "preload/wrappers.h"
#include "preload/wrapping.h"

#define ON_LOOP(symbol, subject_expr, fails, rule, rule_args, ret, params, args)                   \
    TRACKED(on_loop_##symbol, symbol, subject_expr, fails, rule, rule_args, ret, params,           \
            FORWARD(symbol, args))

/* The wrapper of a row: `row` is its name in C, `symbol` the one of libc's function, `label` its
 * own in the object file. */
#define WATCHED(condition, row, symbol, label, subject_expr, fails, rule, rule_args, version, ret, \
                params, args)                                                                      \
    REAL(row, symbol, version, ret, params, args)                                                  \
    ON_LOOP(row, subject_expr, fails, rule, rule_args, ret, params, args)                          \
    EXPORTED ret wrap_##row params __asm__(label);                                                 \
    ret wrap_##row params                                                                          \
    {                                                                                              \
        if (LH_LIKELY(lh_self.slot == NULL) || !(condition))                                       \
            return FORWARD(row, args);                                                             \
        return on_loop_##row args;                                                                 \
    }

#define CALL_IF(condition, symbol, canonical, group, subject, ...)                                 \
    WATCHED(condition, symbol, #symbol, #symbol, __VA_ARGS__)
#define CALL(...) CALL_IF(true, __VA_ARGS__)

/* A symbol that exists in several versions is exported in each of them, never without one. */
#define VERSIONED(row, symbol, at, subject_expr, fails, rule, rule_args, version, ...)             \
    __asm__(".symver wrap_" #row ", " symbol at version ", remove");                               \
    WATCHED(true, row, symbol, "wrap_" #row, subject_expr, fails, rule, rule_args, version,        \
            __VA_ARGS__)
#define CALL_NEWEST(symbol, canonical, group, subject, ...)                                        \
    VERSIONED(symbol, #symbol, "@@", __VA_ARGS__)
#define CALL_OLDER(row, symbol, canonical, group, subject, ...)                                    \
    VERSIONED(row, #symbol, "@", __VA_ARGS__)

#define CALL_HOOKED(hook, symbol, canonical, group, subject, subject_expr, fails, rule, rule_args, \
                    version, ret, params, args)                                                    \
    REAL(symbol, #symbol, version, ret, params, args)                                              \
    ON_LOOP(symbol, subject_expr, fails, rule, rule_args, ret, params, args)                       \
    EXPORTED ret wrap_##symbol params __asm__(#symbol);                                            \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        hook;                                                                                      \
        if (LH_LIKELY(lh_self.slot == NULL))                                                       \
            return FORWARD(symbol, args);                                                          \
        return on_loop_##symbol args;                                                              \
    }

#define VARIADIC(v_form, variadic_params, last, symbol, canonical, group, subject, subject_expr,   \
                 fails, rule, rule_args, version, ret, params, args)                               \
    TRACKED(on_loop_##symbol, symbol, subject_expr, fails, rule, rule_args, ret, params,           \
            FORWARD(v_form, args))                                                                 \
    EXPORTED ret wrap_##symbol variadic_params __asm__(#symbol);                                   \
    ret wrap_##symbol variadic_params                                                              \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, last);                                                                      \
        ret returned =                                                                             \
            LH_LIKELY(lh_self.slot == NULL) ? FORWARD(v_form, args) : on_loop_##symbol args;       \
        va_end(list);                                                                              \
        return returned;                                                                           \
    }

/* What is free is taken at once, without a trace. A lock that a dead owner left counts as taken. */
#define CALL_TRY(try, symbol, canonical, group, subject, subject_expr, fails, rule, rule_args,     \
                 version, ret, params, args)                                                       \
    REAL(symbol, #symbol, version, ret, params, args)                                              \
    ON_LOOP(symbol, subject_expr, fails, rule, rule_args, ret, params, args)                       \
    EXPORTED ret wrap_##symbol params __asm__(#symbol);                                            \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        if (LH_LIKELY(lh_self.slot == NULL))                                                       \
            return FORWARD(symbol, args);                                                          \
        ret tried = try;                                                                           \
        if (LH_LIKELY(tried == 0) || tried == EOWNERDEAD)                                          \
            return tried;                                                                          \
        return on_loop_##symbol args;                                                              \
    }

#define PARK(symbol, canonical, group, subject, subject_expr, fails, rule, rule_args, version,     \
             ret, params, args)                                                                    \
    REAL(symbol, #symbol, version, ret, params, args)                                              \
    ON_LOOP(symbol, subject_expr, fails, rule, rule_args, ret, params, args)                       \
    EXPORTED ret wrap_##symbol params __asm__(#symbol);                                            \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        LH_UNWINDS;                                                                                \
        enum lh_park park = lh_park_begin(epfd, LH_CALL_##symbol, LH_PLACE());                     \
        if (LH_UNLIKELY(park == LH_PARK_FOREIGN))                                                  \
            return on_loop_##symbol args;                                                          \
        ret returned = FORWARD(symbol, args);                                                      \
        if (LH_LIKELY(park == LH_PARK_OWN))                                                        \
            lh_park_end();                                                                         \
        else if (park == LH_PARK_COUNTED)                                                          \
            lh_park_end_counted(returned, count);                                                  \
        return returned;                                                                           \
    }

/* Waits for a condition, in which the threads of a shared loop stand by. */
#define STANDING_BY(row, symbol, label, subject_expr, fails, rule, rule_args, version, ret,        \
                    params, args)                                                                  \
    REAL(row, symbol, version, ret, params, args)                                                  \
    ON_LOOP(row, subject_expr, fails, rule, rule_args, ret, params, args)                          \
    EXPORTED ret wrap_##row params __asm__(label);                                                 \
    ret wrap_##row params                                                                          \
    {                                                                                              \
        if (LH_LIKELY(lh_self.slot == NULL))                                                       \
            return FORWARD(row, args);                                                             \
        LH_UNWINDS;                                                                                \
        if (LH_LIKELY(!lh_standby_begin(FRAME)))                                                   \
            return on_loop_##row args;                                                             \
        ret returned = FORWARD(row, args);                                                         \
        lh_park_end();                                                                             \
        return returned;                                                                           \
    }
#define STAND_BY(symbol, canonical, group, subject, ...)                                           \
    STANDING_BY(symbol, #symbol, #symbol, __VA_ARGS__)
#define STAND_BY_NEWEST(symbol, canonical, group, subject, subject_expr, fails, rule, rule_args,   \
                        version, ...)                                                              \
    __asm__(".symver wrap_" #symbol ", " #symbol "@@" version ", remove");                         \
    STANDING_BY(symbol, #symbol, "wrap_" #symbol, subject_expr, fails, rule, rule_args, version,   \
                __VA_ARGS__)

/* What lh_park_begin_wait() wants to know, of an array or of three sets; in the wrapper itself,
 * whose caller is the program. Timeouts are read in user space by libc too. */
#define LH_ARRAY(array, length, no_time)                                                           \
    {                                                                                              \
        .site = (uintptr_t)__builtin_return_address(0), .frame = FRAME, .looks = (no_time),        \
        .count = (uint32_t)(length), .fds = (array)                                                \
    }
#define LH_SETS(length, read_set, write_set, except_set, no_time)                                  \
    {                                                                                              \
        .site = (uintptr_t)__builtin_return_address(0), .frame = FRAME, .looks = (no_time),        \
        .count = (length) > 0 ? (uint32_t)(length) : 0, .reads = (read_set),                       \
        .writes = (write_set), .excepts = (except_set)                                             \
    }
#define NO_TIMESPEC(time) ((time) != NULL && (time)->tv_sec == 0 && (time)->tv_nsec == 0)
#define NO_TIMEVAL(time)  ((time) != NULL && (time)->tv_sec == 0 && (time)->tv_usec == 0)

#define PARK_WAIT(wait_expr, symbol, canonical, group, subject, subject_expr, fails, rule,         \
                  rule_args, version, ret, params, args)                                           \
    REAL(symbol, #symbol, version, ret, params, args)                                              \
    ON_LOOP(symbol, subject_expr, fails, rule, rule_args, ret, params, args)                       \
    EXPORTED ret wrap_##symbol params __asm__(#symbol);                                            \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        LH_UNWINDS;                                                                                \
        const struct lh_wait wait = wait_expr;                                                     \
        enum lh_park park = lh_park_begin_wait(&wait, LH_CALL_##symbol);                           \
        if (LH_UNLIKELY(park == LH_PARK_FOREIGN))                                                  \
            return on_loop_##symbol args;                                                          \
        ret returned = FORWARD(symbol, args);                                                      \
        if (LH_UNLIKELY(park == LH_PARK_OWN))                                                      \
            lh_park_end();                                                                         \
        return returned;                                                                           \
    }

/* Book-keeping: lh_before_<symbol>() in hooks.h says what is to be done before the call. */
#define HOOK(symbol, version, ret, params, args)                                                   \
    REAL(symbol, #symbol, version, ret, params, args)                                              \
    EXPORTED ret wrap_##symbol params __asm__(#symbol);                                            \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        lh_before_##symbol args;                                                                   \
        return FORWARD(symbol, args);                                                              \
    }

/* The watchdog is gone while it runs; it is started again at the next park. */
#define WITHOUT_WATCHDOG(symbol, version, ret, params, args)                                       \
    REAL(symbol, #symbol, version, ret, params, args)                                              \
    EXPORTED ret wrap_##symbol params __asm__(#symbol);                                            \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        LH_UNWINDS;                                                                                \
        bool held = lh_watchdog_hold(FRAME);                                                       \
        ret returned = FORWARD(symbol, args);                                                      \
        if (held)                                                                                  \
            lh_watchdog_release();                                                                 \
        return returned;                                                                           \
    }

#define ALIAS(name, symbol)                                                                        \
    EXPORTED extern __typeof__(wrap_##symbol) wrap_##name __asm__(#name)                           \
        __attribute__((alias(#symbol)));

#define MEANING(...)
#define OWN(symbol)
#include "calls.def"

/* In our constructor: later calls, which may come from signal handlers, find everything resolved.
 */
void lh_wrappers_resolve(void)
{
#define RESOLVE(row, symbol, version, ret, params)                                                 \
    atomic_store_explicit(&real_##row, (ret(*) params)lh_real(symbol, version),                    \
                          memory_order_relaxed);
#define CALL(symbol, canonical, group, subject, subject_expr, fails, rule, rule_args, version,     \
             ret, params, args)                                                                    \
    RESOLVE(symbol, #symbol, version, ret, params)
#define CALL_OLDER(row, symbol, canonical, group, subject, subject_expr, fails, rule, rule_args,   \
                   version, ret, params, args)                                                     \
    RESOLVE(row, #symbol, version, ret, params)
#define HOOK(symbol, version, ret, params, args) RESOLVE(symbol, #symbol, version, ret, params)
#define MEANING(...)
#define VARIADIC(...)
#define ALIAS(name, symbol)
#define OWN(symbol)
#include "calls.def"
    lh_wrap_syscall_resolve();
}
