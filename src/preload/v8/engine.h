/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript frames of a thread, read from V8's memory: V8 is not called, but for one question
 * about the calling thread, and no pointer of its is trusted. */
#ifndef LH_PRELOAD_V8_ENGINE_H
#define LH_PRELOAD_V8_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"
#include "preload/sys/view.h"
#include "preload/v8/walk.h"

#define LH_V8_WALKERS 8u /* walks at the same time; those beyond go without frames */

/* Looks up V8 in this process. Cheap when called again. Uses sys/symbols.h, so it runs on a
 * program's thread, outside the fast path. Returns 0 when frames can be read, -ENOENT when there is
 * no V8, -ENOTSUP when it is one that cannot be read. */
int lh_v8_find(void);

/* What cannot be seen of it, in one line for the user; NULL: nothing is amiss. */
const char *lh_v8_problem(void);

/* The same of what walks have found since: V8's tables are not those of its version's row. Any
 * thread. */
const char *lh_v8_doubt(void);

/* The isolate that the calling thread is in, or 0. One read of a thread-local: no lock, no
 * allocation. */
uintptr_t lh_v8_isolate(void);

/* Appends the thread's frames to record->js, innermost first, at most `most` of them. Any thread,
 * also the watchdog, which has no libc thread-local storage, and a signal's handler. `view` is
 * opened for it: what it has read already is not read again. `scratch` are LH_V8_WALKERS of them,
 * of this process's own. On any doubt the walk ends, and what was found so far stays. */
void lh_v8_capture(const struct lh_view *view, const struct lh_v8_thread *thread,
                   struct lh_v8_scratch *scratch, uint32_t most, struct lh_record *record);

#endif
