/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk is about to read: see ahead.h, and heap.h for where it runs: no malloc, no stdio, no
 * locks.
 *
 * The objects of a function lie far apart, and each says where the next is. So those of all frames
 * are fetched step by step: three system calls, where each object by itself would take one. */
#include "preload/v8/ahead.h"

#include "preload/v8/heap.h"

#define OBJECT_BYTES 64u  /* of a function, and of the head of bytecodes */
#define TABLE_BYTES  128u /* of a table of positions: most are no longer */
#define SHARED_BYTES 96u  /* of a SharedFunctionInfo, and of a Script */
#define SCOPE_BYTES  128u /* of a ScopeInfo without many locals */

static void want(const struct lh_v8_walk *walk, uintptr_t tagged, size_t size)
{
    if (lh_v8_is_object(tagged))
        lh_view_want(walk->view, tagged - 1, size);
}

static void want_functions(const struct lh_v8_walk *walk, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        want(walk, walk->scratch->ahead[i].function, OBJECT_BYTES);
        want(walk, walk->scratch->ahead[i].bytecodes, OBJECT_BYTES);
    }
}

static void want_what_describes(struct lh_v8_walk *walk, uint32_t count)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    for (uint32_t i = 0; i < count; i++) {
        struct lh_v8_ahead *ahead = &walk->scratch->ahead[i];
        ahead->shared = lh_v8_field(walk, ahead->function, at->function_shared);
        want(walk, ahead->shared, SHARED_BYTES);
        if (walk->layout->has_positions)
            want(walk, lh_v8_field(walk, ahead->bytecodes, at->bytecodes_table), TABLE_BYTES);
    }
}

static void want_names(struct lh_v8_walk *walk, uint32_t count)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t shared = walk->scratch->ahead[i].shared;
        want(walk, lh_v8_field(walk, shared, at->shared_name), SCOPE_BYTES);
        want(walk, lh_v8_field(walk, shared, at->shared_script), SHARED_BYTES);
    }
}

void lh_v8_look_ahead(struct lh_v8_walk *walk, uint32_t count)
{
    want_functions(walk, count);
    lh_v8_fetch(walk);
    want_what_describes(walk, count);
    lh_v8_fetch(walk);
    want_names(walk, count);
    lh_v8_fetch(walk);
}
