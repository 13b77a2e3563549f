/* SPDX-License-Identifier: Apache-2.0 */
/* What one and the same thing cost again and again: the median, and the worst of a hundred. */
#ifndef LH_TESTS_BENCH_COSTS_H
#define LH_TESTS_BENCH_COSTS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static int compare_costs(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts what was measured. `allowed`: said behind it, or "". */
static inline void print_costs(const char *what, const char *allowed)
{
    qsort(costs_us, COSTS, sizeof(costs_us[0]), compare_costs);
    printf("  %-46s %8.1f us median %8.1f us 99%%%s\n", what, costs_us[COSTS / 2],
           costs_us[COSTS * 99 / 100], allowed);
    fflush(stdout);
}

#endif
