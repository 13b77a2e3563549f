/* SPDX-License-Identifier: Apache-2.0 */
/* Time. Runs on the program's threads and in the watchdog; raw system calls only, but for the
 * clocks that libc reads from the vDSO without touching thread-local storage. */
#include "preload/sys/clock.h"

#include <stdatomic.h>

#include "preload/sys/symbols.h"
#include "preload/sys/syscall.h"

#define READINGS 3

LH_HIDDEN bool lh_counter_is_tsc;
LH_HIDDEN bool lh_clock_is_faked;

/* Behind our own wrapper; NULL until lh_clock_init(). */
static int (*read_clock)(clockid_t clock, struct timespec *now);

/* Two readings of the same moment, as near as they can be had. */
struct moment {
    uint64_t counter;
    int64_t ns;
};

/* Taken before anything is timed. Threads that come at once take one each; the first that is whole
 * counts, for all. */
static struct reference {
    struct moment moment;
    uint64_t usual_width; /* the least counts between two readings of the counter */
} references[8];
static _Atomic uint32_t begun;
static struct reference *_Atomic reference;

/* An eighth of what the system call costs. Not for the CPU clocks: those are no more in the vDSO
 * than the error, for which libc has a thread-local variable, is impossible. */
static bool is_in_vdso(clockid_t clock)
{
    return (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) && read_clock != NULL &&
           !lh_clock_is_faked;
}

int64_t lh_clock_ns(clockid_t clock)
{
    struct timespec now = {0, 0};
    if (is_in_vdso(clock))
        read_clock(clock, &now);
    else
        lh_syscall2(SYS_clock_gettime, clock, (long)&now);
    return now.tv_sec * LH_NS_PER_S + now.tv_nsec;
}

uint64_t lh_counter_coarse(void)
{
    return (uint64_t)lh_clock_ns(CLOCK_MONOTONIC_COARSE);
}

/* The thread may lose the processor between the readings: the closest of a few count, or the first
 * one that is close. */
static struct moment read_moment(uint64_t close, uint64_t *least)
{
    struct moment closest = {0, 0};
    *least = UINT64_MAX;
    for (int i = 0; i<READINGS && * least> close; i++) {
        uint64_t before = lh_counter();
        int64_t ns = lh_clock_ns(CLOCK_MONOTONIC);
        uint64_t width = lh_counter() - before;
        if (width < *least) {
            *least = width;
            closest = (struct moment){before + width / 2, ns};
        }
    }
    return closest;
}

static struct lh_symbol symbol_of(enum lh_symbol_scope scope, const char *function)
{
    struct lh_symbol found = {NULL, 0, 0};
    lh_symbol_find(scope, function, NULL, &found);
    return found;
}

/* libfaketime and its like, before us or behind us. Not asked for the time: a clock may step at
 * each call. */
static bool is_faked(const struct lh_symbol *next)
{
    struct lh_symbol libc = symbol_of(LH_SYMBOL_ANYWHERE, "gnu_get_libc_version");
    struct lh_symbol ours = symbol_of(LH_SYMBOL_ANYWHERE, "loophound_loop_enter");
    struct lh_symbol first = symbol_of(LH_SYMBOL_ANYWHERE, "clock_gettime");
    return (first.object != libc.object && first.object != ours.object) ||
           next->object != libc.object;
}

void lh_clock_init(void)
{
    struct lh_symbol next = symbol_of(LH_SYMBOL_AFTER_US, "clock_gettime");
    read_clock = (int (*)(clockid_t, struct timespec *))next.address;
    lh_clock_is_faked = is_faked(&next);
}

void lh_clock_start(void)
{
    struct reference *none = NULL;
    if (LH_LIKELY(atomic_load_explicit(&reference, memory_order_acquire) != NULL))
        return;
    lh_counter_is_tsc = lh_cpu_counter_is_steady();
    uint32_t number = atomic_fetch_add(&begun, 1);
    if (number < sizeof(references) / sizeof(references[0])) {
        struct reference *own = &references[number];
        own->moment = read_moment(0, &own->usual_width);
        atomic_compare_exchange_strong(&reference, &none, own);
    }
    /* One more than those: they take microseconds, unless a fork has taken them away. */
    int64_t until_ns = lh_clock_ns(CLOCK_MONOTONIC) + LH_NS_PER_MS;
    while (atomic_load(&reference) == NULL && lh_clock_ns(CLOCK_MONOTONIC) < until_ns)
        continue;
}

uint64_t lh_counter_to_ns(uint64_t count)
{
    if (!lh_counter_is_tsc)
        return count;
    const struct reference *from = atomic_load_explicit(&reference, memory_order_acquire);
    if (from == NULL)
        return 0;
    uint64_t width;
    struct moment now = read_moment(2 * from->usual_width, &width);
    uint64_t counted = now.counter - from->moment.counter;
    uint64_t passed_ns = (uint64_t)(now.ns - from->moment.ns);
    if (counted == 0)
        return 0;
    return (uint64_t)((unsigned __int128)count * passed_ns / counted);
}
