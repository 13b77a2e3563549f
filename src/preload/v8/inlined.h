/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of optimised code: one of the machine's may be several of JavaScript's. See heap.h for who
 * may call what. */
#ifndef LH_PRELOAD_V8_INLINED_H
#define LH_PRELOAD_V8_INLINED_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/code.h"
#include "preload/v8/function.h"

/* Stores the functions that stand in `code` at `pc`, innermost first; `frame` is the machine's.
 * False: there is no room. */
bool lh_v8_store_optimised(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc,
                           const struct lh_v8_seen *frame);

#endif
