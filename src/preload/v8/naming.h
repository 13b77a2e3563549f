/* SPDX-License-Identifier: Apache-2.0 */
/* What a function of JavaScript is called. See heap.h for who may call what. */
#ifndef LH_PRELOAD_V8_NAMING_H
#define LH_PRELOAD_V8_NAMING_H

#include <stdint.h>

#include "preload/v8/walker.h"

struct lh_v8_naming {
    uintptr_t name; /* a string; 0: none */
    int32_t start;  /* in the source; -1: not known */
    int32_t end;
};

/* The SharedFunctionInfo that this is, or is wrapped in it; 0: it is neither. */
uintptr_t lh_v8_unwrap(struct lh_v8_walk *walk, uintptr_t shared);

/* That of an unwrapped one, and of its closure; 0: that is not known. */
void lh_v8_naming_find(struct lh_v8_walk *walk, uintptr_t shared, uintptr_t function,
                       struct lh_v8_naming *naming);

/* The name of a function, a string; 0: it has none, or is none. */
uintptr_t lh_v8_name_of(struct lh_v8_walk *walk, uintptr_t function);

#endif
