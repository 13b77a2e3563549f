/* SPDX-License-Identifier: Apache-2.0 */
/* Native frames from the copied top of a thread's stack, by libunwind. */
#ifndef LH_COLLECT_STACK_UNWIND_H
#define LH_COLLECT_STACK_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/modules.h"
#include "common/ring.h"

struct lh_native_frame {
    uint64_t pc; /* where it goes on: a return address, unless `exact` */
    uint64_t sp; /* the stack pointer at `pc` */
    uint64_t fp; /* the frame pointer there, if the code keeps one; 0: not known */
    bool exact;  /* interrupted by a signal: `pc` is the instruction itself */
};

/* For one watched process; one thread at a time. */
struct lh_unwinder;

/* `modules` must live longer. NULL: out of memory. */
struct lh_unwinder *lh_unwinder_new(struct lh_modules *modules);
void lh_unwinder_free(struct lh_unwinder *unwinder);

/* Did the last stack end where its copy did, and not by itself? */
bool lh_unwinder_was_cut(const struct lh_unwinder *unwinder);

/* Unwinds a checked record, at most `most` frames, innermost first. The frame of record->registers,
 * our own wrapper, is left out. Reads the map again (once) when a frame lies outside of it. */
uint32_t lh_unwind(struct lh_unwinder *unwinder, const struct lh_record *record,
                   struct lh_native_frame *frames, uint32_t most);

/* The word at this address of the copied stack. False: it is not in it. */
bool lh_stack_word(const struct lh_record *record, uint64_t address, uint64_t *value);

#endif
