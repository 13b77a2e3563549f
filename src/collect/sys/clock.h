/* SPDX-License-Identifier: Apache-2.0 */
/* The collector's clocks: clock_gettime(2). Any thread. */
#ifndef LH_COLLECT_SYS_CLOCK_H
#define LH_COLLECT_SYS_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "common/units.h"

static inline int64_t lh_clock_now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * LH_NS_PER_S + now.tv_nsec;
}

/* For deadlines: CLOCK_MONOTONIC. */
static inline int64_t lh_monotonic_ns(void)
{
    return lh_clock_now_ns(CLOCK_MONOTONIC);
}

/* For what people read: CLOCK_REALTIME. */
static inline int64_t lh_realtime_ns(void)
{
    return lh_clock_now_ns(CLOCK_REALTIME);
}

#endif
