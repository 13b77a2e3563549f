/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that begin with `!`, as the library knows them: what they may match is noise for nobody,
 * and the collector, which knows all of the facts, has the last word.
 *
 * Filled in by our set-up (process/always.c), constant after it. Any thread. */
#ifndef LH_PRELOAD_STATE_ALWAYS_H
#define LH_PRELOAD_STATE_ALWAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rules.h"
#include "preload/sys/compiler.h"

#define LH_ALWAYS_MAX 64u

struct lh_always {
    uint32_t count;
    bool more; /* than there is room for: anything may match */
    struct lh_rule rules[LH_ALWAYS_MAX];
};

extern LH_HIDDEN struct lh_always lh_always;

/* May one of them match? What is not in the facts may be anything. */
static inline bool lh_always_may_match(const struct lh_rule_facts *facts)
{
    for (uint32_t i = 0; i < lh_always.count; i++)
        if (lh_rule_may_match(&lh_always.rules[i], facts))
            return true;
    return lh_always.more;
}

#endif
