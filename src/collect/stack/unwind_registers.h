/* SPDX-License-Identifier: Apache-2.0 */
/* What unwinding has to know of the processor. Each has its own answers, in a folder of its name
 * below this one. Any thread of the collector; no state. */
#ifndef LH_COLLECT_STACK_UNWIND_REGISTERS_H
#define LH_COLLECT_STACK_UNWIND_REGISTERS_H

#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/processor.h"

/* The value of the register with this number of libunwind's. False: a call does not preserve it. */
bool lh_unwind_register(const struct lh_registers *registers, unw_regnum_t number,
                        unw_word_t *value);

/* What the cursor knows of the registers that a call preserves, all but `fp`, `sp` and `pc`, which
 * are left as they are; what is not known is 0. */
void lh_unwind_preserved(unw_cursor_t *cursor, struct lh_registers *registers);

/* The frame pointer of the cursor's frame; 0: not known. */
uint64_t lh_unwind_frame_pointer(unw_cursor_t *cursor);

/* The column of the return address in unwind information: DWARF 5, 6.4.1. Higher ones are
 * refused: libunwind takes what it reads for an index. */
extern const uint8_t lh_unwind_return_column;

/* Does code that is not described, or not in a way that libunwind reads, keep a frame pointer as a
 * rule? Then it is followed there too. */
extern const bool lh_unwind_has_frame_records;

/* Is the return address in a register until the function has stored it? */
extern const bool lh_unwind_has_link;

/* What is in that register, as an address; 0: there is none. */
uint64_t lh_unwind_link(const struct lh_registers *registers);

/* A return address without the signature that some processors put into it (pointer
 * authentication). */
uint64_t lh_unwind_plain_address(uint64_t word);

#define LH_SIGNAL_RETURN_BYTES 16u /* the longest such code, rounded up to words */

/* Is this where a signal handler returns to? Debuggers know it by its code too. */
bool lh_unwind_is_signal_return(const uint8_t code[LH_SIGNAL_RETURN_BYTES]);

#endif
