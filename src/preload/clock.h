/* Time. The fast path takes one reading of a counter; only a report turns counts into ns. */
#ifndef LH_PRELOAD_CLOCK_H
#define LH_PRELOAD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "preload/cpu.h"
#include "preload/state.h"

#define LH_NS_PER_US 1000LL
#define LH_NS_PER_MS 1000000LL
#define LH_NS_PER_S  1000000000LL

/* True: lh_counter() is the time-stamp counter; false: CLOCK_MONOTONIC_COARSE in ns. */
extern LH_HIDDEN bool lh_counter_is_tsc;

/* True: the program's clocks are not the kernel's (libfaketime). We go by the kernel's all the
 * same; what a point in the program's time means is not known. */
extern LH_HIDDEN bool lh_clock_is_faked;

uint64_t lh_counter_coarse(void);

static inline uint64_t lh_counter(void)
{
    return LH_LIKELY(lh_counter_is_tsc) ? lh_cpu_counter() : lh_counter_coarse();
}

/* Takes the reference readings; once, in our set-up. */
void lh_clock_init(void);

/* The length of `count` counter steps, by the rate measured from lh_clock_init() until now. */
uint64_t lh_counter_to_ns(uint64_t count);

/* clock_gettime(2) by a raw system call (a preloaded libfaketime has no say). Any thread. */
int64_t lh_clock_ns(clockid_t clock);

#endif
