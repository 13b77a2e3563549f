/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame to its caller: by the unwind information, or else by what compilers keep (a frame
 * pointer, the link register), which is where processors and versions of libc differ.
 *
 * Runs in the collector. Every step must lead up the stack; but for the one out of an interrupted
 * function that has not moved the stack pointer yet. */
#include <string.h>

#include "collect/stack/unwind_registers.h"
#include "collect/stack/unwinder.h"
#include "common/text.h"

const char *lh_unwind_module(const struct lh_unwinder *unwinder, uint64_t pc)
{
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, pc);
    const char *path = mapping != NULL ? unwinder->modules->modules[mapping->module].path : NULL;
    return path != NULL ? lh_base_name(path) : "";
}

static void forget_old_map(struct lh_unwinder *unwinder)
{
    if (unwinder->space == NULL || unwinder->generation == unwinder->modules->generation)
        return;
    unw_flush_cache(unwinder->space, 0, 0);
    unwinder->generation = unwinder->modules->generation;
}

/* libunwind's own answer is always no for frames that have unwind information. */
static bool is_signal_return(struct lh_unwinder *unwinder, uint64_t pc)
{
    unw_word_t code[LH_SIGNAL_RETURN_BYTES / sizeof(unw_word_t)];
    for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
        if (!lh_unwind_read_file(unwinder, pc + i * sizeof(code[0]), &code[i]))
            return false;
    return lh_unwind_is_signal_return((const uint8_t *)code);
}

/* Starts anew from these registers. */
static bool go_to(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                  const struct lh_registers *registers, struct lh_native_frame *frame)
{
    unwinder->registers = *registers;
    unwinder->moved = true;
    *frame =
        (struct lh_native_frame){.pc = registers->pc, .sp = registers->sp, .fp = registers->fp};
    return unw_init_remote(cursor, unwinder->space, unwinder) == 0;
}

/* Goes to where this frame record leads. */
static bool step_by_record(struct lh_unwinder *unwinder, unw_cursor_t *cursor, uint64_t fp,
                           struct lh_native_frame *frame)
{
    unw_word_t caller[2]; /* its frame pointer, and the return address: AAPCS64 has the same */
    if (!lh_unwind_read_stack(unwinder, fp, &caller[0]) ||
        !lh_unwind_read_stack(unwinder, fp + sizeof(caller[0]), &caller[1]))
        return false;
    struct lh_registers registers = {.fp = caller[0], .sp = fp + sizeof(caller), .pc = caller[1]};
    registers.pc = lh_unwind_plain_address(registers.pc);
    lh_unwind_preserved(cursor, &registers);
    return go_to(unwinder, cursor, &registers, frame);
}

/* Goes to the caller of code that is not described (made at run time, or stripped of .eh_frame), if
 * it keeps a frame pointer. */
static bool step_by_frame_pointer(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                                  const struct lh_native_frame *from, struct lh_native_frame *frame)
{
    uint64_t fp = lh_unwind_frame_pointer(cursor);
    return fp >= from->sp && step_by_record(unwinder, cursor, fp, frame);
}

/* Goes to the caller of a short function of the kernel's, interrupted, that is not described and
 * has stored nowhere what it returns to. Such a stack is not remembered. */
static bool step_by_link(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                         const struct lh_native_frame *from, struct lh_native_frame *frame)
{
    struct lh_registers registers = unwinder->record->registers;
    uint64_t link = lh_unwind_link(&registers);
    if (from->pc != registers.pc || from->sp != registers.sp || link == 0 ||
        strcmp(lh_unwind_module(unwinder, from->pc), "[vdso]") != 0 ||
        !lh_unwind_in_code(unwinder, link))
        return false;
    unwinder->reads.too_many = true;
    registers.pc = link;
    return go_to(unwinder, cursor, &registers, frame);
}

/* A thread that was looked at from outside says where it is, and neither its frame pointer nor what
 * the function returns to. glibc 2.41 waits in one that stores nothing (__syscall_cancel_arch).
 * Right above it is the frame record of the one that calls it, also libc's, which is left out.
 * Where the stack pointer was from then on nobody knows: records lead further. */
static bool step_out_of_wait(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                             const struct lh_native_frame *from, struct lh_native_frame *frame)
{
    const struct lh_registers *registers = &unwinder->record->registers;
    if (!lh_unwind_has_link || registers->fp != 0 || lh_unwind_link(registers) != 0 ||
        from->sp != registers->sp || strcmp(lh_unwind_module(unwinder, from->pc), "libc.so.6") != 0)
        return false;
    unwinder->reads.too_many = true; /* such a stack is not remembered */
    unwinder->by_records = step_by_record(unwinder, cursor, from->sp, frame);
    return unwinder->by_records;
}

/* Code that is in no file is not described, and libunwind for aarch64 must not see it: it would
 * follow the link register by itself and say that it has stepped, as it does where it was told that
 * there is no description. */
static bool step_by_description(struct lh_unwinder *unwinder, unw_cursor_t *cursor, bool exact,
                                struct lh_native_frame *frame)
{
    unw_word_t pc;
    unw_word_t sp;
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, frame->pc);
    unwinder->undescribed = mapping == NULL || lh_modules_elf(unwinder->modules, mapping) == NULL;
    if (unwinder->undescribed || unw_step(cursor) <= 0 || unwinder->undescribed ||
        unw_get_reg(cursor, UNW_REG_IP, &pc) != 0 || unw_get_reg(cursor, UNW_REG_SP, &sp) != 0)
        return false;
    *frame = (struct lh_native_frame){.pc = pc, .sp = sp, .exact = exact};
    unwinder->only_fp = frame;
    frame->fp = lh_unwind_frame_pointer(cursor);
    unwinder->only_fp = NULL;
    return true;
}

bool lh_unwind_step(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                    struct lh_native_frame *frame)
{
    struct lh_native_frame from = *frame;
    forget_old_map(unwinder);
    unwinder->reads_left = LH_UNWIND_READS;
    bool exact = is_signal_return(unwinder, frame->pc);
    bool stepped = !unwinder->by_records && step_by_description(unwinder, cursor, exact, frame);
    if ((!stepped || frame->pc == 0) && step_out_of_wait(unwinder, cursor, &from, frame))
        return true;
    if (!stepped && unwinder->undescribed && step_by_link(unwinder, cursor, &from, frame))
        return true;
    if (!stepped && (unwinder->undescribed || lh_unwind_has_frame_records))
        stepped = step_by_frame_pointer(unwinder, cursor, &from, frame);
    unwinder->beyond &= !stepped;
    /* Where a call stores nothing by itself, a function that was interrupted may not yet have moved
     * the stack pointer. */
    return stepped && (frame->sp > from.sp || (lh_unwind_has_link && from.exact &&
                                               frame->sp == from.sp && frame->pc != from.pc));
}
