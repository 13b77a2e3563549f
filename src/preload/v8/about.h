/* SPDX-License-Identifier: Apache-2.0 */
/* What a function of V8's own is at: which regular expression, how much of JSON. See heap.h for who
 * may call what. */
#ifndef LH_PRELOAD_V8_ABOUT_H
#define LH_PRELOAD_V8_ABOUT_H

#include <stdint.h>

#include "preload/v8/function.h"
#include "preload/v8/walker.h"

/* By what it was called on, and its first argument. */
struct lh_v8_about lh_v8_about_of(struct lh_v8_walk *walk, uintptr_t function, uintptr_t receiver,
                                  uintptr_t argument);

/* The regular expression that one of `count` words from `address` on is; 0: none of them. */
uintptr_t lh_v8_regexp_among(struct lh_v8_walk *walk, uintptr_t address, uint32_t count);

/* That of a call of C++ which matches it with a text: they are next to each other among its
 * arguments, the first of which is at the highest address. */
uintptr_t lh_v8_regexp_called(struct lh_v8_walk *walk, uintptr_t address);

/* What there is to say of that. */
struct lh_v8_about lh_v8_about_regexp(struct lh_v8_walk *walk, uintptr_t regexp);

#endif
