/* SPDX-License-Identifier: Apache-2.0 */
/* What a function of JavaScript was called on: the class of its `this`. See heap.h for who may call
 * what. */
#ifndef LH_PRELOAD_V8_RECEIVER_H
#define LH_PRELOAD_V8_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/strings.h"

/* That of `receiver`, as V8 says it in front of a function's name: `Server`, `Array`; of a function
 * its own name (`Promise` of Promise.all). None of what has no class of its own: plain objects, the
 * global object, `undefined`. `may_have_tag`: it may be one of those that V8 has itself without a
 * class, as JSON. */
struct lh_v8_class lh_v8_class_of(struct lh_v8_walk *walk, uintptr_t receiver, bool may_have_tag);

#endif
