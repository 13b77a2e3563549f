/* SPDX-License-Identifier: Apache-2.0 */
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
/* This file defines what _FORTIFY_SOURCE would put inline functions in front of. */
#undef _FORTIFY_SOURCE

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
#include <sys/fanotify.h>
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

#include "common/call_ids.h"
#include "preload/loop/standby.h"
#include "preload/sys/libc.h"
#include "preload/sys/symbols.h"
#include "preload/wrap/dlopen.h"
#include "preload/wrap/gil.h"
#include "preload/wrap/hooks.h"
#include "preload/wrap/trylock.h"
#include "preload/wrap/wrappers.h"
#include "preload/wrap/wrapping.h"

/* How a row's columns change its wrapper: see common/call_columns.h. */
#define ONLY_IF_ONLY_IF(...) , (__VA_ARGS__),
#define FIRST_FIRST(...)                                                                           \
    , __VA_ARGS__;                                                                                 \
    ,
/* What is free is taken at once, without a trace. A lock that a dead owner left counts as taken. */
#define TRY_TRY(...)                                                                               \
    , int tried = (__VA_ARGS__);                                                                   \
    if (LH_LIKELY(tried == 0) || tried == EOWNERDEAD)                                              \
        return tried;                                                                              \
    ,

/* The name that libc looks the function up by, and its version. */
#define SYMBOL_NEWEST(symbol, version)  , #symbol,
#define SYMBOL_OLDER(symbol, version)   , #symbol,
#define VERSION_NEWEST(symbol, version) , version,
#define VERSION_OLDER(symbol, version)  , version,
#define VERSION_VERSION(version)        , version,

/* A symbol that exists in several versions is exported in each of them, never without one: its
 * wrapper has a name of its own in the object file, and so has what is exported, for older
 * assemblers (binutils 2.35) cannot call what they are to give a version. */
#define LABEL_NEWEST(symbol, version) , "wrap_" #symbol "_" version,
#define LABEL_OLDER(symbol, version)  , "wrap_" #symbol "_" version,
#define SYMVER(symbol, at, version)                                                                \
    ".hidden wrap_" #symbol "_" version "\n\t"                                                     \
    ".globl exported_" #symbol "_" version "\n\t"                                                  \
    ".type exported_" #symbol "_" version ", @function\n\t"                                        \
    ".set exported_" #symbol "_" version ", wrap_" #symbol "_" version "\n\t"                      \
    ".symver exported_" #symbol "_" version ", " #symbol at version ", remove"
#define SYMVER_NEWEST(symbol, version) , SYMVER(symbol, "@@", version),
#define SYMVER_OLDER(symbol, version)  , SYMVER(symbol, "@", version),

#define EXPORT(row, ret, params, ...)                                                              \
    __asm__(LH_COLUMN(SYMVER, "", __VA_ARGS__));                                                   \
    EXPORTED ret wrap_##row params __asm__(LH_COLUMN(LABEL, #row, __VA_ARGS__));

/* The wrapper of a row: what it begins with says whether the call is tracked. */
#define WRAPPER(row, ret, params, args, begin, ...)                                                \
    REAL(row, LH_COLUMN(SYMBOL, #row, __VA_ARGS__), LH_COLUMN(VERSION, "", __VA_ARGS__), ret,      \
         params, args)                                                                             \
    TRACKED(on_loop_##row, LH_CALL_##row, ret, params, args, FORWARD(row, args), __VA_ARGS__)      \
    EXPORT(row, ret, params, __VA_ARGS__)                                                          \
    MEETING(row, wrap_##row, ret, params, args)                                                    \
    ret wrap_##row params                                                                          \
    {                                                                                              \
        begin;                                                                                     \
        return on_loop_##row args;                                                                 \
    }

#define CALL(row, group, ret, params, args, ...)                                                   \
    WRAPPER(row, ret, params, args, ON_LOOP_ONLY(row, args, __VA_ARGS__), __VA_ARGS__)
#define ON_LOOP_ONLY(row, args, ...)                                                               \
    LH_COLUMN(FIRST, , __VA_ARGS__)                                                                \
    if (LH_LIKELY(lh_self.slot == NULL) || !LH_COLUMN(ONLY_IF, true, __VA_ARGS__))                 \
        return FORWARD(row, args);                                                                 \
    LH_COLUMN(TRY, , __VA_ARGS__)

/* Waits for a condition, in which the threads of a shared loop are idle. */
#define CALL_IDLE(row, group, ret, params, args, ...)                                              \
    WRAPPER(row, ret, params, args, UNLESS_IDLE(row, ret, args), __VA_ARGS__)
#define UNLESS_IDLE(row, ret, args)                                                                \
    if (LH_LIKELY(lh_self.slot == NULL))                                                           \
        return FORWARD(row, args);                                                                 \
    LH_PERSONALITY;                                                                                \
    if (LH_UNLIKELY(lh_standby_begin(FRAME))) {                                                    \
        ret returned = FORWARD(row, args);                                                         \
        lh_park_end();                                                                             \
        return returned;                                                                           \
    }

/* Where a loop waits for events: on an epoll set, an array or three sets. Who it is that waits is
 * seen in the wrapper itself, whose caller is the program. Timeouts are read in user space by libc
 * too. */
#define PARK(row, group, ret, params, args, ...)                                                   \
    WRAPPER(row, ret, params, args, UNLESS_PARKED(row, ret, args, __VA_ARGS__), __VA_ARGS__)
#define UNLESS_PARKED(row, ret, args, ...)                                                         \
    LH_PERSONALITY;                                                                                \
    const uint32_t this_call = LH_CALL_##row;                                                      \
    const enum lh_park park = LH_COLUMN(BEGIN, row##_has_no_ON_column, __VA_ARGS__);               \
    if (LH_LIKELY(park != LH_PARK_FOREIGN)) {                                                      \
        ret returned = FORWARD(row, args);                                                         \
        LH_COLUMN(END, , __VA_ARGS__)                                                              \
        return returned;                                                                           \
    }

#define BEGIN_ON_SET(epfd, count) , lh_park_begin(epfd, this_call, LH_CALL_SITE()),
#define END_ON_SET(epfd, count)                                                                    \
    , if (LH_LIKELY(park == LH_PARK_OWN)) lh_park_end();                                           \
    else if (park == LH_PARK_COUNTED) lh_park_end_counted(returned, count);                        \
    ,

#define BEGIN_ON_ARRAY(array, length, look)                                                        \
    , lh_park_begin_wait(WAIT_HERE(look, .count = (uint32_t)(length), .fds = (array)), this_call),
#define BEGIN_ON_SETS(length, read_set, write_set, except_set, look)                               \
    ,                                                                                              \
        lh_park_begin_wait(WAIT_HERE(look, .count = (length) > 0 ? (uint32_t)(length) : 0,         \
                                     .reads = (read_set), .writes = (write_set),                   \
                                     .excepts = (except_set)),                                     \
                           this_call),
#define END_ON_ARRAY(...) END_ON_SETS()
#define END_ON_SETS(...)                                                                           \
    , if (LH_UNLIKELY(park == LH_PARK_OWN)) lh_park_end();                                         \
    ,
#define WAIT_HERE(look, ...)                                                                       \
    &(const struct lh_poll_wait)                                                                   \
    {                                                                                              \
        .site = (uintptr_t)__builtin_return_address(0), .frame = FRAME, .looks = (look),           \
        __VA_ARGS__                                                                                \
    }
#define NO_TIMESPEC(time) ((time) != NULL && (time)->tv_sec == 0 && (time)->tv_nsec == 0)
#define NO_TIMEVAL(time)  ((time) != NULL && (time)->tv_sec == 0 && (time)->tv_usec == 0)

/* Hands a list on to libc's own form for one. */
#define VARIADIC(row, group, ret, params, args, ...)                                               \
    TRACKED(on_loop_##row, LH_CALL_##row, ret, params, args, LIST_FORM_OF(args, __VA_ARGS__),      \
            __VA_ARGS__)                                                                           \
    EXPORTED ret wrap_##row LH_COLUMN(PARAMS, (row##_has_no_TAKES), __VA_ARGS__) __asm__(#row);    \
    ret wrap_##row LH_COLUMN(PARAMS, (row##_has_no_TAKES), __VA_ARGS__)                            \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, LH_COLUMN(LAST, , __VA_ARGS__));                                            \
        ret returned = LH_LIKELY(lh_self.slot == NULL) ? LIST_FORM_OF(args, __VA_ARGS__)           \
                                                       : on_loop_##row args;                       \
        va_end(list);                                                                              \
        return returned;                                                                           \
    }
#define LIST_FORM_OF(args, ...)                                                                    \
    atomic_load_explicit(&LH_COLUMN(REAL_OF, no_LIST_FORM_column, __VA_ARGS__),                    \
                         memory_order_relaxed) args
#define REAL_OF_LIST_FORM(row)     , real_##row,
#define PARAMS_TAKES(params, last) , params,
#define LAST_TAKES(params, last)   , last,

/* Our own account: lh_before_<symbol>() in hooks.h says what is to be done before the call. */
#define BEFORE(symbol, ret, params, args)                                                          \
    REAL(symbol, #symbol, "", ret, params, args)                                                   \
    EXPORT(symbol, ret, params, )                                                                  \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        lh_before_##symbol args;                                                                   \
        return FORWARD(symbol, args);                                                              \
    }

/* The watchdog is gone while it runs. */
#define WITHOUT_WATCHDOG(symbol, ret, params, args)                                                \
    REAL(symbol, #symbol, "", ret, params, args)                                                   \
    EXPORT(symbol, ret, params, )                                                                  \
    ret wrap_##symbol params                                                                       \
    {                                                                                              \
        LH_PERSONALITY;                                                                            \
        bool held = lh_watchdog_pause(FRAME);                                                      \
        ret returned = FORWARD(symbol, args);                                                      \
        if (held)                                                                                  \
            lh_watchdog_resume();                                                                  \
        return returned;                                                                           \
    }

#define ALIAS(name, symbol)                                                                        \
    EXPORTED extern __typeof__(wrap_##symbol) wrap_##name __asm__(#name)                           \
        __attribute__((alias(#symbol)));

#define SYSCALL_ONLY(...)
#include "calls.def"

typedef void *look_up(const char *symbol, const char *version);

static void resolve_all(look_up *find)
{
#define CALL(row, group, ret, params, args, ...)                                                   \
    RESOLVE(row, find, LH_COLUMN(SYMBOL, #row, __VA_ARGS__), LH_COLUMN(VERSION, "", __VA_ARGS__));
#define BEFORE(symbol, ret, params, args) RESOLVE(symbol, find, #symbol, "");
#define SYSCALL_ONLY(...)
#define VARIADIC(...)
#include "calls.def"
}

void lh_wrappers_init(void)
{
    if (!lh_libc_note())
        resolve_all(lh_real);
}

void lh_wrappers_ask(bool on)
{
    if (on)
        resolve_all(lh_real_noted);
#define CALL(row, group, ret, params, args, ...) ASK(row, on);
#define BEFORE(symbol, ret, params, args)
#define SYSCALL_ONLY(...)
#define VARIADIC(...)
#include "calls.def"
    lh_wrap_syscall_ask(on);
}
