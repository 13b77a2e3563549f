/* SPDX-License-Identifier: Apache-2.0 */
/* Native frames from the copied top of a thread's stack, by libunwind. */
#ifndef LH_COLLECT_STACK_UNWIND_H
#define LH_COLLECT_STACK_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/modules.h"
#include "collect/stack/unwound.h"
#include "common/record.h"

/* For one watched process; one thread at a time. */
struct lh_unwinder;

/* `modules` must live longer. NULL: out of memory. */
struct lh_unwinder *lh_unwinder_new(struct lh_modules *modules);
void lh_unwinder_free(struct lh_unwinder *unwinder);

/* Did the last stack end where its copy did, and not by itself? */
bool lh_unwinder_was_cut(const struct lh_unwinder *unwinder);

/* Of the last stack: equal numbers are of equal frames, but for their frame pointers. 0: it is not
 * remembered. */
uint64_t lh_unwinder_number(const struct lh_unwinder *unwinder);

/* Forgets what it remembers; then numbers are others. */
void lh_unwinder_forget(struct lh_unwinder *unwinder);

/* How often a stack was known before it was unwound. */
struct lh_unwound_counts lh_unwinder_counts(const struct lh_unwinder *unwinder);

/* Unwinds a checked record, at most `most` frames, innermost first. The frame of record->registers,
 * our own wrapper, is left out. Reads the map again (once) when a frame lies outside of it. */
uint32_t lh_unwind(struct lh_unwinder *unwinder, const struct lh_record *record,
                   struct lh_native_frame *frames, uint32_t most);

#endif
