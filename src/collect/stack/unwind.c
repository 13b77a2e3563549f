/* SPDX-License-Identifier: Apache-2.0 */
/* Unwinds copied stacks with libunwind's remote interface, the way `perf record --call-graph dwarf`
 * is read: registers and stack come from the record, all else from the ELF files.
 *
 * Runs in the collector. Registers, stack and files may be hostile: what is read has a budget
 * (unwind_access.c), every step leads up the stack (unwind_step.c) and, here, into code. */
#include "collect/stack/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "collect/stack/unwinder.h"
#include "common/text.h"

#define OWN_FRAMES_MAX 64u   /* of ours in one stack; more are no stack of a program */
#define LOWEST_CODE    4096u /* without privileges: vm.mmap_min_addr */

/* With the first stack: that loads libunwind, and most short programs have none to tell. */
static bool has_space(struct lh_unwinder *unwinder)
{
    if (!unwinder->has_asked)
        unwinder->space = lh_unwind_space();
    unwinder->has_asked = true;
    return unwinder->space != NULL;
}

struct lh_unwinder *lh_unwinder_new(struct lh_modules *modules)
{
    struct lh_unwinder *unwinder = calloc(1, sizeof(*unwinder));
    if (unwinder == NULL)
        return NULL;
    unwinder->modules = modules;
    unwinder->remembered = lh_unwound_book_new();
    if (unwinder->remembered != NULL)
        return unwinder;
    free(unwinder);
    return NULL;
}

void lh_unwinder_free(struct lh_unwinder *unwinder)
{
    if (unwinder == NULL)
        return;
    if (unwinder->space != NULL)
        unw_destroy_addr_space(unwinder->space);
    lh_unwound_book_free(unwinder->remembered);
    free(unwinder);
}

/* Nothing is mapped at the lowest addresses, and the upper half is the kernel's. */
static bool may_be_code(uint64_t pc)
{
    return pc >= LOWEST_CODE && pc <= INT64_MAX;
}

/* Is this address in code, as far as the map knows after one more look? */
static bool is_code(struct lh_unwinder *unwinder, uint64_t pc, bool *refreshed)
{
    if (!lh_unwind_in_code(unwinder, pc) && !*refreshed && may_be_code(pc)) {
        *refreshed = true;
        lh_modules_refresh(unwinder->modules);
    }
    return lh_unwind_in_code(unwinder, pc);
}

bool lh_unwinder_was_cut(const struct lh_unwinder *unwinder)
{
    return unwinder->beyond;
}

/* What a wrapper calls, the wrapper itself, one that is further out and calls back into the
 * program: none of it is of the program, wherever the compiler has put it. */
static bool is_ours(const struct lh_unwinder *unwinder, uint64_t pc)
{
    return lh_starts_with(lh_unwind_module(unwinder, pc), "libloophound.so"); /* .so.0.1 too */
}

static bool begin(struct lh_unwinder *unwinder, const struct lh_record *record,
                  unw_cursor_t *cursor)
{
    unwinder->registers = record->registers;
    unwinder->moved = false;
    unwinder->by_records = false;
    unwinder->reads.too_many = false;
    unwinder->reads.registers = 0;
    unwinder->reads.count = 0;
    unwinder->reads_left = LH_UNWIND_READS;
    return unw_init_remote(cursor, unwinder->space, unwinder) == 0;
}

static uint32_t unwind(struct lh_unwinder *unwinder, const struct lh_record *record,
                       bool *refreshed, struct lh_native_frame *frames, uint32_t most)
{
    unw_cursor_t cursor;
    uint32_t count = 0;
    uint32_t steps = most + OWN_FRAMES_MAX;
    struct lh_native_frame frame = {.pc = record->registers.pc,
                                    .sp = record->registers.sp,
                                    .fp = record->registers.fp,
                                    .fp_from = LH_FP_FROM_REGISTER,
                                    .exact = true};
    if (!begin(unwinder, record, &cursor))
        return 0;
    if (record->running != 0 && most > 0 && !is_ours(unwinder, frame.pc))
        frames[count++] = frame;
    while (count < most && steps-- > 0 && lh_unwind_step(unwinder, &cursor, &frame) &&
           is_code(unwinder, frame.pc, refreshed))
        if (!is_ours(unwinder, frame.pc))
            frames[count++] = frame;
    return count;
}

/* Was this very stack unwound before? */
static bool recall(struct lh_unwinder *unwinder, const struct lh_record *record,
                   struct lh_native_frame *frames, uint32_t most, uint32_t *count)
{
    const struct lh_unwound *known =
        lh_unwound_find(unwinder->remembered, record, unwinder->modules->generation);
    if (known == NULL || known->count >= most)
        return false;
    memcpy(frames, known->frames, known->count * sizeof(*frames));
    *count = known->count;
    unwinder->beyond = known->beyond;
    unwinder->number = known->number;
    return true;
}

/* Not where the map was read again for it: that may be another one next time. */
static void remember(struct lh_unwinder *unwinder, const struct lh_record *record,
                     struct lh_native_frame *frames, uint32_t count)
{
    const struct lh_unwound unwound = {
        .count = count, .beyond = unwinder->beyond, .frames = frames};
    unwinder->number = lh_unwound_keep(unwinder->remembered, record, &unwinder->reads, &unwound);
}

uint32_t lh_unwind(struct lh_unwinder *unwinder, const struct lh_record *record,
                   struct lh_native_frame *frames, uint32_t most)
{
    bool refreshed = false;
    uint32_t count = 0;
    unwinder->record = record;
    unwinder->beyond = false;
    unwinder->number = 0;
    if (record->stack_address == 0 || !has_space(unwinder) ||
        !is_code(unwinder, record->registers.pc, &refreshed))
        return 0;
    if (recall(unwinder, record, frames, most, &count))
        return count;
    count = unwind(unwinder, record, &refreshed, frames, most);
    if (count < most && !refreshed)
        remember(unwinder, record, frames, count);
    return count;
}

uint64_t lh_unwinder_number(const struct lh_unwinder *unwinder)
{
    return unwinder->number;
}

void lh_unwinder_forget(struct lh_unwinder *unwinder)
{
    lh_unwound_forget(unwinder->remembered);
    unwinder->number = 0;
}

struct lh_unwound_counts lh_unwinder_counts(const struct lh_unwinder *unwinder)
{
    return lh_unwound_counts(unwinder->remembered);
}
