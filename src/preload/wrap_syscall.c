/* The wrapper of libc's syscall(2): numbers that can wait are the RAW rows of src/calls.def.
 *
 * Runs where the wrappers run; see wrappers.c. Six arguments are handed on unread, whatever the
 * number takes: as libc's own syscall does. A number without a row is a jump, so that what returns
 * twice or on another stack (clone, vfork) finds nothing of ours there. */
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "preload/memory.h"
#include "preload/sandbox.h"
#include "preload/standby.h"
#include "preload/watchdog.h"
#include "preload/wrappers.h"
#include "preload/wrapping.h"

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
 * on the wrapper's stack, alive as long as the call is in flight; 0 for NULL and what cannot be
 * read. */
static inline uintptr_t copy_time(struct timespec *copy, long address)
{
    bool there = address != 0 && lh_memory_read_self(copy, (uintptr_t)address, sizeof(*copy)) == 0;
    return there ? (uintptr_t)copy : 0;
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
#define RAW(number_, call, condition, subject_expr, rule, rule_args)                               \
    static bool counts_##number_(long a, long b, long c, long d)                                   \
    {                                                                                              \
        (void)a, (void)b, (void)c, (void)d;                                                        \
        return condition;                                                                          \
    }                                                                                              \
    TRACKED(on_loop_##number_, call, subject_expr, MINUS_1, rule, rule_args, long, SIX_PARAMS,     \
            FORWARD(syscall, SIX_ARGS))
#include "calls.def"

struct raw_row {
    tracked_call *on_loop;
    bool (*counts)(long a, long b, long c, long d);
    enum lh_call call;
    enum { NO_ROW, CALLS, PARKS_ON_SET, PARKS_ON_RING, HOLDS_WATCHDOG, MAY_FILTER } kind;
};

static const struct raw_row rows[] = {
#define RAW(number, call, ...)                                                                     \
    [SYS_##number] = {on_loop_##number, counts_##number, LH_CALL_##call, CALLS},
#define RAW_PARK(number, call, ...)                                                                \
    [SYS_##number] = {on_loop_##number, counts_##number, LH_CALL_##call, PARKS_ON_SET},
#define RAW_RING(number, call, ...)                                                                \
    [SYS_##number] = {on_loop_##number, counts_##number, LH_CALL_##call, PARKS_ON_RING},
#define RAW_WITHOUT_WATCHDOG(number) [SYS_##number] = {.kind = HOLDS_WATCHDOG},
#include "calls.def"
    [SYS_prctl] = {.kind = MAY_FILTER},
    [SYS_seccomp] = {.kind = MAY_FILTER},
};

static const struct raw_row *row_of(long number)
{
    bool known = number >= 0 && (size_t)number < sizeof(rows) / sizeof(rows[0]);
    return known && rows[number].kind != NO_ROW ? &rows[number] : NULL;
}

/* A registered ring is known by a number of its own, which is no descriptor: it is no loop's. */
static enum lh_park begin_ring(long fd, long to_submit, long min_complete, long flags,
                               enum lh_call call, const struct lh_place *place)
{
    const struct lh_ring_wait wait = {
        .fd = (flags & IORING_ENTER_REGISTERED_RING) != 0 ? -1 : (int)fd,
        .to_submit = (uint32_t)to_submit,
        .min_complete = (uint32_t)min_complete,
    };
    return lh_park_begin_ring(&wait, call, place);
}

__attribute__((noinline)) static long park_or_call(const struct raw_row *row,
                                                   const struct lh_place *place, long number,
                                                   long a, long b, long c, long d, long e, long f)
{
    LH_UNWINDS;
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
static bool stands_by(enum lh_call call, long operation, uintptr_t frame)
{
    long command = operation & FUTEX_CMD_MASK;
    return call == LH_CALL_futex && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) &&
           lh_standby_begin(frame);
}

/* On a loop thread, what is no park by its number. */
static inline long stand_by_or_call(const struct raw_row *row, uintptr_t frame, long number, long a,
                                    long b, long c, long d, long e, long f)
{
    if (!stands_by(row->call, b, frame))
        return row->on_loop SIX_ARGS;
    long returned = FORWARD(syscall, SIX_ARGS);
    lh_park_end();
    return returned;
}

__attribute__((noinline)) static long keep_books(const struct raw_row *row, long number, long a,
                                                 long b, long c, long d, long e, long f)
{
    LH_UNWINDS;
    if (row->kind == MAY_FILTER) {
        lh_sandbox_before(number, a, b, c, d, e);
        return FORWARD(syscall, SIX_ARGS);
    }
    bool held = lh_watchdog_hold(FRAME);
    long returned = FORWARD(syscall, SIX_ARGS);
    if (held)
        lh_watchdog_release();
    return returned;
}

EXPORTED long wrap_syscall SIX_PARAMS __asm__("syscall");
long wrap_syscall SIX_PARAMS
{
    const struct raw_row *row = row_of(number);
    if (row == NULL)
        return FORWARD(syscall, SIX_ARGS);
    if (row->kind >= HOLDS_WATCHDOG)
        return keep_books(row, number, a, b, c, d, e, f);
    if ((lh_self.slot == NULL && row->kind == CALLS) || !row->counts(a, b, c, d))
        return FORWARD(syscall, SIX_ARGS);
    if (row->kind == CALLS)
        return stand_by_or_call(row, FRAME, number, a, b, c, d, e, f);
    const struct lh_place place = LH_PLACE();
    return park_or_call(row, &place, number, a, b, c, d, e, f);
}

void lh_wrap_syscall_resolve(void)
{
    atomic_store_explicit(&real_syscall, (tracked_call *)lh_real("syscall", ""),
                          memory_order_relaxed);
}
