/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime does for itself, in words. Anywhere: no malloc, no stdio. */
#include "common/work.h"

#include <stddef.h>

enum what { COLLECTING = 1, COMPILING };

static const struct {
    const char *place;
    enum what what;
} works[LH_WORK_COUNT] = {
#define WORK(id, what, place, modules, functions) [LH_WORK_##id] = {place, what},
#include "runtime_work.def"
};

const char *lh_work_place(enum lh_work work)
{
    return works[work].place;
}

bool lh_work_collects(enum lh_work work)
{
    return works[work].what == COLLECTING;
}

uint64_t lh_work_collecting_ns(const uint64_t ns[LH_WORK_COUNT])
{
    uint64_t sum = 0;
    for (int work = LH_WORK_NONE + 1; work < LH_WORK_COUNT; work++)
        sum += lh_work_collects((enum lh_work)work) ? ns[work] : 0;
    return sum;
}

void lh_work_add(uint64_t sum[LH_WORK_COUNT], const uint64_t part[LH_WORK_COUNT])
{
    for (int work = 0; work < LH_WORK_COUNT; work++)
        sum[work] += part[work];
}
