/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper of clock_gettime(2): in strict mode it keeps what a loop thread was told, by which
 * rules.c knows whether a point in time that has passed was ahead when it was asked for.
 *
 * Runs on the program's threads, in its signal handlers and before our constructor, as often as
 * programs look at the clock: without strict mode it is one jump. No malloc, no locks, errno is
 * libc's. */
#include <stdatomic.h>
#include <time.h>

#include "preload/sys/libc.h"
#include "preload/wrap/wrapping.h"

typedef int read_clock(clockid_t clock, struct timespec *now);

static read_clock look_up;
static read_clock *_Atomic real_read = look_up;

static int look_up(clockid_t clock, struct timespec *now)
{
    read_clock *real = (read_clock *)lh_real("clock_gettime", "");
    atomic_store_explicit(&real_read, real, memory_order_relaxed);
    return real(clock, now);
}

static int read_real(clockid_t clock, struct timespec *now)
{
    return atomic_load_explicit(&real_read, memory_order_relaxed)(clock, now);
}

static int read_and_note(clockid_t clock, struct timespec *now)
{
    int result = read_real(clock, now);
    struct lh_slot *slot = lh_self.slot;
    if (LH_UNLIKELY(slot != NULL) && result == 0)
        lh_slot_note_clock(slot, clock, now);
    return result;
}

static read_clock choose;
static read_clock *_Atomic chosen = choose;

/* The options are known once there is a process to watch. */
static int choose(clockid_t clock, struct timespec *now)
{
    if (__atomic_load_n(&lh_process, __ATOMIC_ACQUIRE) == NULL)
        return read_real(clock, now);
    bool strict = lh_options.strict != 0;
    int result = strict ? read_and_note(clock, now) : read_real(clock, now);
    read_clock *real = atomic_load_explicit(&real_read, memory_order_relaxed);
    atomic_store_explicit(&chosen, strict ? read_and_note : real, memory_order_relaxed);
    return result;
}

EXPORTED read_clock wrap_clock_gettime __asm__("clock_gettime");
int wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    return atomic_load_explicit(&chosen, memory_order_relaxed)(clock, now);
}
