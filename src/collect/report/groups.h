/* SPDX-License-Identifier: Apache-2.0 */
/* What the samples of a stall have in common: the calls from the outermost one on that most of its
 * time was spent below. Samples of a program that goes on seldom end at one place.
 *
 * Collector only, any thread. */
#ifndef LH_COLLECT_REPORT_GROUPS_H
#define LH_COLLECT_REPORT_GROUPS_H

#include <stdint.h>

#include "common/event.h"
#include "common/options.h"

#define LH_GROUPS_MAX 2u /* shown at most … */
#define LH_GROUP_PART 5u /* … and each has at least a fifth of the time */

struct lh_groups {
    struct lh_sample samples[LH_GROUPS_MAX]; /* the group with most time first */
    struct lh_frame frames[LH_GROUPS_MAX][LH_STACK_FRAMES_MAX];
};

/* Fills in the groups of these samples, which lie in the order of their time. Their strings stay
 * the samples'. Returns how many there are. */
uint32_t lh_groups_find(struct lh_groups *groups, const struct lh_sample *samples, uint32_t count);

#endif
