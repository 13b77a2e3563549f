/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime does for itself, by the table src/runtime_work.def. Any thread, anywhere. */
#ifndef LH_COMMON_WORK_H
#define LH_COMMON_WORK_H

#include <stdbool.h>
#include <stdint.h>

enum lh_work {
    LH_WORK_NONE,
#define WORK(id, what, place, modules, functions) LH_WORK_##id,
#include "runtime_work.def"
    LH_WORK_COUNT
};

/* "V8's garbage collector, scavenge"; NULL of none. */
const char *lh_work_place(enum lh_work work);

/* Is it collecting garbage? */
bool lh_work_collects(enum lh_work work);

/* Of times by enum lh_work: that of all that collects garbage. */
uint64_t lh_work_collecting_ns(const uint64_t ns[LH_WORK_COUNT]);

/* Adds the times of `part` to those of `sum`. */
void lh_work_add(uint64_t sum[LH_WORK_COUNT], const uint64_t part[LH_WORK_COUNT]);

#endif
