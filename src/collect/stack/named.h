/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of machine code that have their names, remembered by address: the same functions stand on
 * most stacks of a program. Bounded; one thread's. */
#ifndef LH_COLLECT_STACK_NAMED_H
#define LH_COLLECT_STACK_NAMED_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/unwound.h"
#include "common/event.h"

#define LH_NAMED_MAX   2048u          /* addresses; then all are forgotten at once … */
#define LH_NAMED_BYTES (512u * 1024u) /* … as they are when they take this */

struct lh_named;

struct lh_named *lh_named_new(void); /* NULL: out of memory */
void lh_named_free(struct lh_named *named);

/* To be called before each stack is named: forgets all where there are too many, or the map has
 * become another one since. True: it did. */
bool lh_named_begin(struct lh_named *named, uint32_t generation);
void lh_named_forget(struct lh_named *named);

/* What is remembered of the address of this frame, with those that were inlined there before it;
 * valid until all is forgotten. Returns how many, of which `most` are put; 0: it is not known. */
uint32_t lh_named_find(const struct lh_named *named, const struct lh_native_frame *native,
                       struct lh_frame *frames, uint32_t most);

/* Remembers them, with copies of their texts except for `module`, which must be there as long.
 * False: there is no room. */
bool lh_named_keep(struct lh_named *named, const struct lh_native_frame *native,
                   const struct lh_frame *frames, uint32_t count);

#endif
