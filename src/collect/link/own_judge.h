/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of a program that no loophound run watches. The collector's driving thread. */
#ifndef LH_COLLECT_LINK_OWN_JUDGE_H
#define LH_COLLECT_LINK_OWN_JUDGE_H

#include <stdbool.h>

#include "collect/report/judge.h"
#include "common/ring.h"

/* By the rules and the baseline that the program's options name. What is wrong with them becomes
 * warnings of its `header`, and no rule of that file is used. `may_read` false: the program is
 * another user's, and its files are not read for it. NULL: out of memory. */
struct lh_judge *lh_own_judge(struct lh_ring *header, bool may_read);

#endif
