/* SPDX-License-Identifier: Apache-2.0 */
/* What a person can do about a block or stall, by the table src/advice.def. Collector only, any
 * thread; looks at names only. */
#ifndef LH_COLLECT_REPORT_ADVICE_H
#define LH_COLLECT_REPORT_ADVICE_H

#include <stdbool.h>

#include "common/event.h"

#define LH_ADVICE_BYTES  256
#define LH_ADVICE_STACKS 64u /* a power of two */

/* Which loops have functions on stacks that have a number, so that each is looked through once. All
 * zero: none is known. One thread's, for one process. */
struct lh_advice_stacks {
    struct {
        uint64_t number;
        uint32_t loops;
    } known[LH_ADVICE_STACKS];
};

/* Advice about the stack of the report that is shown first: `text` is put together in `room`, which
 * outlives it. False: nothing is known that would help. */
bool lh_advice_find(const struct lh_report *report, struct lh_advice_stacks *stacks,
                    struct lh_advice *advice, char room[LH_ADVICE_BYTES]);

#endif
