/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_ACTION: what follows the report of a block. Runs on the loop threads, also in their
 * signal handlers, when the call has ended and nothing of ours is half done. */
#ifndef LH_PRELOAD_WRAP_ACTION_H
#define LH_PRELOAD_WRAP_ACTION_H

#include "preload/state/state.h"

/* Waits until all that this process has reported is written, at most 5 seconds. Then:
 *
 * - abort: as abort(3), which ends the process also where SIGABRT is blocked, ignored or handled.
 * - signal: raises it on this thread, whose handler runs before this returns. Where the thread
 *   blocks it nothing is raised: that would come at another line, or, in the very handler of that
 *   signal, for ever. */
void lh_action_take(void);

/* Has this thread caused more than the `reports` of before? */
static inline bool lh_action_is_due(uint64_t reports)
{
    return LH_UNLIKELY(lh_options.action != LH_ACTION_LOG) &&
           atomic_load_explicit(&lh_self.reports, memory_order_relaxed) != reports;
}

#endif
