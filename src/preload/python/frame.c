/* SPDX-License-Identifier: Apache-2.0 */
/* A Python frame and a code object, as they stand in memory. See frame.h.
 *
 * Runs on the program's threads and on the watchdog, while the interpreter may be running: no
 * malloc, no stdio, no libc that may set errno. */
#include "preload/python/frame.h"

#include <errno.h>
#include <string.h>

#include "preload/python/object.h"

/* Owners from here on are shims: FRAME_OWNED_BY_CSTACK in 3.12 and 3.13 (pycore_frame.h),
 * FRAME_OWNED_BY_INTERPRETER since (pycore_interpframe_structs.h). */
#define OWNER_SHIM 3

#define OWNER_GENERATOR                                                                            \
    1 /* FRAME_OWNED_BY_GENERATOR, since 3.11; before, f_gen is in front of f_lasti */

static uintptr_t word_at(const uint8_t *object, uint16_t offset)
{
    uintptr_t word;
    memcpy(&word, object + offset, sizeof(word));
    return word;
}

static int32_t int_at(const uint8_t *object, uint16_t offset)
{
    int32_t number;
    memcpy(&number, object + offset, sizeof(number));
    return number;
}

int lh_python_read_frame(const struct lh_python_walk *walk, uintptr_t address,
                         struct lh_python_frame_read *frame)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uint8_t bytes[LH_PYTHON_FRAME_SPAN_MAX];
    if (lh_python_read(walk, bytes, address, at->frame_span) != 0)
        return -EFAULT;
    frame->previous = word_at(bytes, at->frame_previous);
    frame->code = word_at(bytes, at->frame_code) & ~LH_PYTHON_REFERENCE_BITS;
    frame->instruction = word_at(bytes, at->frame_instruction);
    frame->last_instruction = int_at(bytes, at->frame_last_instruction);
    frame->bytecode_index = int_at(bytes, at->frame_bytecode_index);
    frame->is_entry = lh_python_has_loop_per_frame(at) ||
                      (at->frame_is_entry != 0 && bytes[at->frame_is_entry] != 0);
    frame->is_shim = at->frame_owner != 0 && at->frame_is_entry == 0 &&
                     (int8_t)bytes[at->frame_owner] >= OWNER_SHIM;
    frame->generator = lh_python_has_loop_per_frame(at)
                           ? word_at(bytes, at->frame_last_instruction - LH_PYTHON_WORD)
                           : 0;
    frame->is_coroutine = lh_python_has_loop_per_frame(at)
                              ? frame->generator != 0
                              : bytes[at->frame_owner] == OWNER_GENERATOR;
    return 0;
}

int lh_python_read_code(const struct lh_python_walk *walk, uintptr_t address,
                        struct lh_python_code_read *code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uint8_t bytes[LH_PYTHON_CODE_SPAN_MAX];
    if (lh_python_read(walk, bytes, address, at->code_span) != 0)
        return -EFAULT;
    if (word_at(bytes, at->object_type) != walk->layout->code_type)
        return -EINVAL;
    code->filename = word_at(bytes, at->code_filename);
    code->qualname = word_at(bytes, at->code_qualname);
    code->line_table = word_at(bytes, at->code_line_table);
    code->bytecode_copies = word_at(bytes, at->code_bytecode_copies);
    code->first_line = int_at(bytes, at->code_first_line);
    return 0;
}

uintptr_t lh_python_first_frame(struct lh_python_walk *walk, uintptr_t thread_state)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t cframe =
        at->thread_cframe != 0 ? lh_python_word(walk, thread_state + at->thread_cframe) : 0;
    if (at->frame_owner == 0 || at->frame_is_entry != 0)
        walk->cframe = cframe;
    if (at->thread_frame != 0)
        return lh_python_word(walk, thread_state + at->thread_frame);
    return cframe == 0 ? 0 : lh_python_word(walk, cframe + at->cframe_frame);
}
