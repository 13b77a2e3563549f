/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over JavaScript frames is about to read, fetched many pieces at once. See heap.h for
 * where it runs. */
#ifndef LH_PRELOAD_V8_AHEAD_H
#define LH_PRELOAD_V8_AHEAD_H

#include <stdint.h>

#include "preload/v8/walker.h"

/* Fetches the functions of the first `count` frames of walk->scratch->ahead, their bytecodes, what
 * these are described by, and their names. The walk's own reads find them there, and check them.
 * For a view with a store. */
void lh_v8_look_ahead(struct lh_v8_walk *walk, uint32_t count);

#endif
