/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing of the end of a thread that has a loop, or labels. Runs on the program's threads:
 * pthread_setspecific(3), which allocates nothing for the first 32 keys. */
#ifndef LH_PRELOAD_STATE_THREAD_END_H
#define LH_PRELOAD_STATE_THREAD_END_H

#include "preload/state/state.h"

/* Once, in our set-up. */
void lh_thread_end_init(void);

/* When the calling thread ends, `on_end` is called there with its slot; NULL: with none any more.
 * `on_end` is the same for all. */
void lh_thread_end_watch(struct lh_slot *slot, void (*on_end)(struct lh_slot *slot));

/* The same of its labels, lh_self.labels, which it keeps until then. */
void lh_thread_end_watch_labels(void (*on_end)(struct lh_labels *labels));

#endif
