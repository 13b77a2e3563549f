/* SPDX-License-Identifier: Apache-2.0 */
/* Which functions a frame of optimised code stands for, as V8 itself would find out. See heap.h for
 * who may call what. */
#ifndef LH_PRELOAD_V8_TRANSLATION_H
#define LH_PRELOAD_V8_TRANSLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/code.h"

/* Stores them into walk->scratch->inlined, outermost first: what they are are places in `literals`
 * and `constants`. 0: it cannot be told. */
struct lh_v8_frames {
    uint32_t count;
    uintptr_t literals;
    uintptr_t constants; /* bytecodes */
};

void lh_v8_translate(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc,
                     struct lh_v8_frames *frames);

/* Is it a function with bytecodes, and not a builtin's continuation? */
bool lh_v8_inlined_has_bytecodes(const struct lh_v8_inlined *inlined);

#endif
