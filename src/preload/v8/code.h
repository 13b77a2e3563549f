/* SPDX-License-Identifier: Apache-2.0 */
/* Which code an instruction is part of. See heap.h for who may call what. */
#ifndef LH_PRELOAD_V8_CODE_H
#define LH_PRELOAD_V8_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/walker.h"

/* A Code object, and its instructions. */
struct lh_v8_code {
    uintptr_t code;
    uintptr_t start;
    uint32_t size;
    int32_t kind; /* as kind_baseline */
};

/* The code that was made at run time in which a call returns to `pc`: that of this JSFunction, or
 * one that has been replaced since. False: there is none, as for V8's own builtins. */
bool lh_v8_code_at(struct lh_v8_walk *walk, uintptr_t function, uintptr_t pc,
                   struct lh_v8_code *found);

/* Is it where the interpreter goes on after a bytecode? */
bool lh_v8_is_dispatch(struct lh_v8_walk *walk, uintptr_t pc);

/* A call returns to `pc`, which is behind all that the code's table of positions tells of: there V8
 * puts the slow ways of operations, such as the allocation that has to collect garbage first. They
 * jump back to their operation: where to, or `pc` itself, if it is no such place. */
uintptr_t lh_v8_back_from(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc);

/* A literal that code refers to; it may be held weakly. */
uintptr_t lh_v8_literal(struct lh_v8_walk *walk, uintptr_t literals, int64_t index);

#endif
