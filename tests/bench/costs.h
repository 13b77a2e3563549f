/* SPDX-License-Identifier: Apache-2.0 */
/* What one and the same thing cost again and again: told is the median. */
#ifndef LH_TESTS_BENCH_COSTS_H
#define LH_TESTS_BENCH_COSTS_H

#include <time.h>

#include "figures.h"

#define COSTS 5000

/* What design limits are given for; what is copied by default is more. */
#define STACK_BYTES (32u << 10)

static double costs_us[COSTS];

static inline double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Sorts what was measured. `thing`: as figure_tell() has it. */
static inline void tell_costs(enum figure_id id, const char *thing)
{
    figure_tell(id, thing, figure_median(costs_us, COSTS));
}

#endif
