/* SPDX-License-Identifier: Apache-2.0 */
/* What unwind.c, and the files that it goes by, know of the stack in hand: unwind_access.c gives
 * libunwind what it asks for, unwind_step.c finds a frame's caller. For nobody else: unwind.h.
 *
 * In the collector, one thread at a time. */
#ifndef LH_COLLECT_STACK_UNWINDER_H
#define LH_COLLECT_STACK_UNWINDER_H

#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/modules.h"
#include "collect/stack/unwound.h"
#include "common/record.h"

#define LH_UNWIND_READS 65536u /* words for a step; the largest functions take some thousands */

struct lh_unwinder {
    unw_addr_space_t space; /* NULL: not asked for yet, no libunwind (lazy.h), or no memory */
    bool has_asked;         /* for that */
    struct lh_modules *modules;
    uint32_t generation; /* of `modules`, for which libunwind's cache holds */
    const struct lh_record *record;
    struct lh_registers registers; /* where the cursor begins */
    uint32_t reads_left;
    bool beyond;                     /* the last step wanted what is above the copy of the stack */
    bool undescribed;                /* the last step found no unwind information */
    bool moved;                      /* `registers` are not the record's any more */
    bool by_records;                 /* the stack pointer is not known: step_out_of_wait() */
    struct lh_native_frame *only_fp; /* what is read now is for the frame pointer of this alone */
    struct lh_unwound_book *remembered;
    uint64_t number; /* there, of the last stack */
    struct lh_unwound_reads reads;
};

/* An address space of libunwind's whose accessors read an unwinder; NULL: there is no libunwind
 * (lazy.h), or no memory. */
unw_addr_space_t lh_unwind_space(void);

/* A word of the stack. False: the copy does not have it, which is noted where it was too short. */
bool lh_unwind_read_stack(struct lh_unwinder *unwinder, uint64_t address, unw_word_t *value);

/* A word of what is mapped of a file there, as the file has it. */
bool lh_unwind_read_file(struct lh_unwinder *unwinder, uint64_t address, unw_word_t *value);

/* Is this address in code, as far as the map that was read last knows? */
bool lh_unwind_in_code(const struct lh_unwinder *unwinder, uint64_t pc);

/* The name of the file that is mapped there, which the kernel gives in brackets where it is its own
 * (vdso(7)); or "". */
const char *lh_unwind_module(const struct lh_unwinder *unwinder, uint64_t pc);

/* Goes to the caller's frame. False: the stack ends here, or makes no sense from here on. */
bool lh_unwind_step(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                    struct lh_native_frame *frame);

#endif
