/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper of libc's syscall(2): numbers that can wait are the SYSCALL rows of
 * src/calls/syscall.def.
 *
 * Runs where the wrappers run; see wrappers.c. Six arguments are handed on unread, whatever the
 * number takes: as libc's own syscall does. A number without a row is a jump, so that what returns
 * twice or on another stack (clone, vfork) finds nothing of ours there. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "common/call_ids.h"
#include "common/linux_compat.h"
#include "preload/loop/standby.h"
#include "preload/process/lifecycle.h"
#include "preload/state/in_loop.h"
#include "preload/sys/memory.h"
#include "preload/watchdog/watchdog.h"
#include "preload/wrap/hooks.h"
#include "preload/wrap/wrappers.h"
#include "preload/wrap/wrapping.h"

#define SIX_PARAMS (long number, long a, long b, long c, long d, long e, long f)
#define SIX_ARGS   (number, a, b, c, d, e, f)

REAL(syscall, "syscall", "", long, SIX_PARAMS, SIX_ARGS)

typedef long tracked_call SIX_PARAMS;

static bool lh_futex_waits(long operation)
{
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return true;
    default:
        return false;
    }
}

static bool lh_uring_waits(long min_complete, long flags)
{
    return (flags & IORING_ENTER_GETEVENTS) != 0 && (uint32_t)min_complete > 0;
}

/* The kernel writes the time that is left over the one asked for, so that is taken before. A copy
 * on the wrapper's stack, alive as long as the call is in flight; NULL for NULL and what cannot be
 * read. */
static inline const struct timespec *copy_time(struct timespec *copy, long address)
{
    bool there = address != 0 && lh_memory_read_self(copy, (uintptr_t)address, sizeof(*copy)) == 0;
    return there ? copy : NULL;
}
#define LH_TIME_COPY(address) copy_time(&(struct timespec){0, 0}, (address))

static inline int64_t lh_timeval_at(long address)
{
    struct timeval time = {0, 0};
    if (address == 0 || lh_memory_read_self(&time, (uintptr_t)address, sizeof(time)) != 0)
        return -1;
    return lh_timeval_ns(&time);
}

/* Not all of these look at their arguments. */
#define ONLY_IF_ONLY_IF(...) , (__VA_ARGS__),
#define SYSCALL(number_, ...)                                                                      \
    static bool counts_##number_(long a, long b, long c, long d)                                   \
    {                                                                                              \
        (void)a, (void)b, (void)c, (void)d;                                                        \
        return LH_COLUMN(ONLY_IF, true, __VA_ARGS__);                                              \
    }                                                                                              \
    TRACKED(on_loop_##number_, CALL_OF(number_, __VA_ARGS__), long, SIX_PARAMS, SIX_ARGS,          \
            FORWARD(syscall, SIX_ARGS), __VA_ARGS__)
#define CALL_OF(number, ...) LH_COLUMN(CALL, LH_CALL_##number, __VA_ARGS__)
#define CALL_AS(row)         , LH_CALL_##row,
#include "calls.def"

struct raw_row {
    tracked_call *on_loop;
    bool (*counts)(long a, long b, long c, long d);
    uint32_t call;
    enum { NO_ROW, CALLS, PARKS_ON_SET, PARKS_ON_RING, HOLDS_WATCHDOG, MAY_FILTER, CLOSES } kind;
};

static const struct raw_row rows[] = {
#define ROW(number, kind, ...)                                                                     \
    [SYS_##number] = {on_loop_##number, counts_##number, CALL_OF(number, __VA_ARGS__), kind},
#define SYSCALL(number, ...)             ROW(number, CALLS, __VA_ARGS__)
#define SYSCALL_PARK(number, ...)        ROW(number, PARKS_ON_SET, __VA_ARGS__)
#define SYSCALL_RING(number, ...)        ROW(number, PARKS_ON_RING, __VA_ARGS__)
#define SYSCALL_WITHOUT_WATCHDOG(number) [SYS_##number] = {.kind = HOLDS_WATCHDOG},
#include "calls.def"
    [SYS_prctl] = {.kind = MAY_FILTER}, [SYS_seccomp] = {.kind = MAY_FILTER},
    [SYS_close] = {.kind = CLOSES},     [SYS_close_range] = {.kind = CLOSES},
    [SYS_dup3] = {.kind = CLOSES},
#ifdef SYS_dup2
    [SYS_dup2] = {.kind = CLOSES},
#endif
};

static const struct raw_row *row_of(long number)
{
    bool known = number >= 0 && (size_t)number < sizeof(rows) / sizeof(rows[0]);
    return known && rows[number].kind != NO_ROW ? &rows[number] : NULL;
}

/* A registered ring is known by a number of its own, which is no descriptor: it is no loop's. */
static enum lh_park begin_ring(long fd, long to_submit, long min_complete, long flags,
                               uint32_t call, const struct lh_call_site *place)
{
    const struct lh_ring_wait wait = {
        .fd = (flags & IORING_ENTER_REGISTERED_RING) != 0 ? -1 : (int)fd,
        .to_submit = (uint32_t)to_submit,
        .min_complete = (uint32_t)min_complete,
    };
    return lh_park_begin_ring(&wait, call, place);
}

__attribute__((noinline)) static long park_or_call(const struct raw_row *row,
                                                   const struct lh_call_site *place, long number,
                                                   long a, long b, long c, long d, long e, long f)
{
    LH_PERSONALITY;
    enum lh_park park = row->kind == PARKS_ON_RING ? begin_ring(a, b, c, d, row->call, place)
                                                   : lh_park_begin((int)a, row->call, *place);
    if (park == LH_PARK_FOREIGN)
        return row->on_loop SIX_ARGS;
    long returned = FORWARD(syscall, SIX_ARGS);
    if (park == LH_PARK_OWN)
        lh_park_end();
    else if (park == LH_PARK_COUNTED)
        lh_park_end_counted(returned, c);
    return returned;
}

/* Is it a wait in which a thread of a shared loop stands by? */
static bool stands_by(uint32_t call, long futex, long operation, uintptr_t frame)
{
    long command = operation & FUTEX_CMD_MASK;
    if (call != LH_CALL_futex || (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) ||
        !lh_standby_begin(frame))
        return false;
    lh_in_loop_stands_by(lh_self.slot, (uintptr_t)futex);
    return true;
}

/* What does not wait, on a loop thread: it may wake the one that takes its place. */
static void note_wake(uint32_t call, long futex, long operation)
{
    long command = operation & FUTEX_CMD_MASK;
    if (call == LH_CALL_futex && (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET))
        lh_in_loop_wakes(lh_self.slot, (uintptr_t)futex);
}

/* On a loop thread, what is no park by its number. */
static inline long stand_by_or_call(const struct raw_row *row, uintptr_t frame, long number, long a,
                                    long b, long c, long d, long e, long f)
{
    if (!stands_by(row->call, a, b, frame))
        return row->on_loop SIX_ARGS;
    long returned = FORWARD(syscall, SIX_ARGS);
    lh_park_end();
    return returned;
}

static void before_closing(long number, long a, long b, long c)
{
    if (number == SYS_close)
        lh_before_close((int)a);
    else if (number == SYS_close_range)
        lh_before_close_range((unsigned int)a, (unsigned int)b, (int)c);
    else
        lh_before_dup2((int)a, (int)b);
}

__attribute__((noinline)) static long keep_books(const struct raw_row *row, long number, long a,
                                                 long b, long c, long d, long e, long f)
{
    LH_PERSONALITY;
    if (row->kind == CLOSES) {
        before_closing(number, a, b, c);
        return FORWARD(syscall, SIX_ARGS);
    }
    if (row->kind == MAY_FILTER) {
        lh_process_before_filter(number, a, b, c, d, e);
        return FORWARD(syscall, SIX_ARGS);
    }
    bool held = lh_watchdog_pause(FRAME);
    long returned = FORWARD(syscall, SIX_ARGS);
    if (held)
        lh_watchdog_resume();
    return returned;
}

EXPORTED long wrap_syscall SIX_PARAMS __asm__("syscall");
MEETING(syscall, wrap_syscall, long, SIX_PARAMS, SIX_ARGS)

long wrap_syscall SIX_PARAMS
{
    const struct raw_row *row = row_of(number);
    if (row == NULL)
        return FORWARD(syscall, SIX_ARGS);
    if (row->kind >= HOLDS_WATCHDOG)
        return keep_books(row, number, a, b, c, d, e, f);
    if (lh_self.slot == NULL && row->kind == CALLS)
        return FORWARD(syscall, SIX_ARGS);
    if (!row->counts(a, b, c, d)) {
        if (lh_self.slot != NULL)
            note_wake(row->call, a, b);
        return FORWARD(syscall, SIX_ARGS);
    }
    if (row->kind == CALLS)
        return stand_by_or_call(row, FRAME, number, a, b, c, d, e, f);
    const struct lh_call_site place = LH_CALL_SITE();
    return park_or_call(row, &place, number, a, b, c, d, e, f);
}

void lh_wrap_syscall_ask(bool on)
{
    if (on)
        RESOLVE(syscall, lh_real_noted, "syscall", "");
    ASK(syscall, on);
}
