/* SPDX-License-Identifier: Apache-2.0 */
/* Python frames put where their interpreter loops stand in the native stack. */
#ifndef LH_COLLECT_STACK_MERGE_H
#define LH_COLLECT_STACK_MERGE_H

#include <stdint.h>

#include "collect/stack/unwind.h"

enum lh_merged_from { LH_MERGED_NATIVE, LH_MERGED_PYTHON, LH_MERGED_JS };

/* One frame of the merged stack, by its place in one of the lists. */
struct lh_merged_frame {
    uint32_t from; /* enum lh_merged_from */
    uint32_t index;
};

/* Merges by stack address, innermost first, at most `most` frames. The native frame in whose part
 * of the stack a boundary lies is the interpreter's loop: the Python frames up to that boundary
 * stand in its place. No Python frame is lost: those below the first native frame come before it,
 * those that found none, as the native stack ended early, come last. Where `loop` is not empty
 * there are no boundaries: each native frame in it is an interpreter's loop with one Python frame.
 * Returns the number. */
uint32_t lh_merge(const struct lh_native_frame *native, uint32_t native_count,
                  const struct lh_python_frame *python, uint32_t python_count,
                  struct lh_code_range loop, struct lh_merged_frame *merged, uint32_t most);

/* Puts JavaScript frames into a merged stack of `count` frames: in the place of the native frame in
 * whose part of the stack their frame pointer lies, innermost first; none of them is lost, as
 * above. `merged` has room for `most`, `former` for as many. Returns the number. */
uint32_t lh_merge_js(const struct lh_native_frame *native, uint32_t native_count,
                     const struct lh_js_frame *js, uint32_t js_count,
                     struct lh_merged_frame *merged, uint32_t count, uint32_t most,
                     struct lh_merged_frame *former);

#endif
