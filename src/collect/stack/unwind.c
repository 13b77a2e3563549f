/* SPDX-License-Identifier: Apache-2.0 */
/* Unwinds copied stacks with libunwind's remote interface, the way `perf record --call-graph dwarf`
 * is read: registers and stack come from the record, all else from the ELF files.
 *
 * Runs in the collector. Registers, stack and files may be hostile: every word goes through
 * read_memory, which has a budget, so no loop in unwind data is endless, and every step must lead
 * up the stack into code. */
#include "collect/stack/unwind.h"

#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

#include "collect/stack/unwind_refusals.h"
#include "collect/stack/unwind_registers.h"
#include "collect/stack/unwind_table.h"
#include "common/text.h"

#define BEYOND_MAX     (1u << 20) /* bytes above the copy that may still be of this stack */
#define OWN_FRAMES_MAX 64u        /* of ours in one stack; more are no stack of a program */
#define LOWEST_CODE    4096u      /* without privileges: vm.mmap_min_addr */
#define READS_PER_STEP 65536u     /* words; the largest functions take some thousands */

/* Exported by libunwind for such accessors, but in no header. */
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *table,
                               unw_proc_info_t *info, int need_unwind_info, void *argument);

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

/* Gives libunwind the row for this address; returns one of its error numbers. */
static int find_description(struct lh_unwinder *unwinder, unw_word_t ip, unw_proc_info_t *info,
                            int need_unwind_info)
{
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, ip);
    struct lh_elf *elf = mapping != NULL ? lh_modules_elf(unwinder->modules, mapping) : NULL;
    uint64_t vaddr;
    struct lh_unwind_entry entry;
    if (elf == NULL || !lh_elf_vaddr(elf, ip - mapping->start + mapping->file_offset, &vaddr) ||
        !lh_unwind_entry_find(elf, vaddr, &entry))
        return -UNW_ENOINFO;

    uint64_t bias = ip - vaddr;
    unw_dyn_info_t table = {
        .format = UNW_INFO_FORMAT_REMOTE_TABLE,
        .start_ip = mapping->start,
        .end_ip = mapping->end,
        .u.rti = {.segbase = entry.header_vaddr + bias,
                  .table_data = entry.entry_vaddr + bias,
                  .table_len = 1}, /* in words: one row */
    };
    return search_unwind_table(unwinder->space, ip, &table, info, need_unwind_info, unwinder);
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info,
                          int need_unwind_info, void *argument)
{
    (void)space;
    struct lh_unwinder *unwinder = argument;
    if (find_description(unwinder, ip, info, need_unwind_info) == 0)
        return 0;
    /* For -UNW_ENOINFO libunwind 1.6 would follow the frame pointer by itself, and take a wrong
     * stack pointer along; see step_by_frame_pointer. */
    unwinder->undescribed = true;
    return -UNW_EINVAL;
}

static bool read_file(struct lh_unwinder *unwinder, uint64_t address, unw_word_t *value)
{
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, address);
    struct lh_elf *elf = mapping != NULL ? lh_modules_elf(unwinder->modules, mapping) : NULL;
    return elf != NULL && lh_elf_read_offset(elf, address - mapping->start + mapping->file_offset,
                                             value, sizeof(*value));
}

static void note_word(struct lh_unwinder *unwinder, uint64_t address, uint64_t value)
{
    if (unwinder->only_fp == NULL) {
        lh_unwound_word(&unwinder->reads, address, value);
        return;
    }
    unwinder->only_fp->fp_at = address;
    unwinder->only_fp->fp_from = LH_FP_FROM_STACK;
}

static void note_register(struct lh_unwinder *unwinder, unw_regnum_t number)
{
    if (unwinder->moved) /* to what was read of the stack */
        return;
    if (unwinder->only_fp == NULL)
        lh_unwound_register(&unwinder->reads, number);
    else
        unwinder->only_fp->fp_from = LH_FP_FROM_REGISTER;
}

/* A word of the stack. Notes where one was wanted that the copy was too short for. */
static bool read_stack(struct lh_unwinder *unwinder, uint64_t address, unw_word_t *value)
{
    const struct lh_record *record = unwinder->record;
    uint64_t end = record->stack_address + record->stack_length;
    if (lh_stack_word(record, address, value)) {
        note_word(unwinder, address, *value);
        return true;
    }
    unwinder->beyond |= address >= record->stack_address && address < end + BEYOND_MAX;
    return false;
}

/* Of a word that may be a return address: it is one if it leads into code without it. */
static void take_signature_out(struct lh_unwinder *unwinder, unw_word_t *value)
{
    uint64_t plain = lh_unwind_plain_address(*value);
    if (plain == *value)
        return;
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, plain);
    if (mapping != NULL && mapping->executable)
        *value = plain;
}

static int read_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write,
                       void *argument)
{
    (void)space;
    struct lh_unwinder *unwinder = argument;
    if (write || unwinder->reads_left == 0)
        return -UNW_EINVAL;
    unwinder->reads_left--;
    if (read_stack(unwinder, address, value)) {
        take_signature_out(unwinder, value);
        return 0;
    }
    return read_file(unwinder, address, value) ? 0 : -UNW_EINVAL;
}

static int read_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
                         void *argument)
{
    (void)space;
    struct lh_unwinder *unwinder = argument;
    if (write)
        return -UNW_EREADONLYREG;
    note_register(unwinder, number);
    return lh_unwind_register(&unwinder->registers, number, value) ? 0 : -UNW_EBADREG;
}

/* A libunwind that is newer than the one this was compiled for copies, and calls, more of them: 1.7
 * has three more than 1.6, under the same soname. They are optional, and may be NULL. */
union accessors {
    unw_accessors_t known;
    void *words[32];
};

/* With the first stack: that loads libunwind, and most loops of short programs have none to tell.
 */
static bool has_space(struct lh_unwinder *unwinder)
{
    if (unwinder->has_asked)
        return unwinder->space != NULL;
    unwinder->has_asked = true;
    union accessors accessors = {.words = {0}};
    accessors.known = lh_unwind_refusals;
    accessors.known.find_proc_info = find_proc_info;
    accessors.known.access_mem = read_memory;
    accessors.known.access_reg = read_register;
    unwinder->space = unw_create_addr_space(&accessors.known, 0);
    if (unwinder->space != NULL)
        unw_set_caching_policy(unwinder->space, UNW_CACHE_GLOBAL);
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
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, pc);
    if ((mapping == NULL || !mapping->executable) && !*refreshed && may_be_code(pc)) {
        *refreshed = true;
        lh_modules_refresh(unwinder->modules);
        mapping = lh_modules_find(unwinder->modules, pc);
    }
    return mapping != NULL && mapping->executable;
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
        if (!read_file(unwinder, pc + i * sizeof(code[0]), &code[i]))
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
    if (!read_stack(unwinder, fp, &caller[0]) ||
        !read_stack(unwinder, fp + sizeof(caller[0]), &caller[1]))
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

/* The name of the file, which the kernel gives in brackets where it is its own (vdso(7)); or "". */
static const char *module_of(const struct lh_unwinder *unwinder, uint64_t pc)
{
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, pc);
    const char *path = mapping != NULL ? unwinder->modules->modules[mapping->module].path : NULL;
    return path != NULL ? lh_base_name(path) : "";
}

/* Goes to the caller of a short function of the kernel's, interrupted, that is not described and
 * has stored nowhere what it returns to. Such a stack is not remembered. */
static bool step_by_link(struct lh_unwinder *unwinder, unw_cursor_t *cursor,
                         const struct lh_native_frame *from, struct lh_native_frame *frame)
{
    struct lh_registers registers = unwinder->record->registers;
    uint64_t link = lh_unwind_link(&registers);
    bool refreshed = true;
    if (from->pc != registers.pc || from->sp != registers.sp || link == 0 ||
        strcmp(module_of(unwinder, from->pc), "[vdso]") != 0 ||
        !is_code(unwinder, link, &refreshed))
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
        from->sp != registers->sp || strcmp(module_of(unwinder, from->pc), "libc.so.6") != 0)
        return false;
    unwinder->reads.too_many = true; /* such a stack is not remembered */
    unwinder->by_records = step_by_record(unwinder, cursor, from->sp, frame);
    return unwinder->by_records;
}

/* Code that is in no file is not described; nor may libunwind for aarch64 see it, which then
 * follows the link register by itself and says that it has stepped. It does the same after it was
 * told that there is no description. */

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

/* Goes to the caller's frame. False: the stack ends here, or makes no sense from here on. */
static bool step(struct lh_unwinder *unwinder, unw_cursor_t *cursor, struct lh_native_frame *frame)
{
    struct lh_native_frame from = *frame;
    forget_old_map(unwinder);
    unwinder->reads_left = READS_PER_STEP;
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

bool lh_unwinder_was_cut(const struct lh_unwinder *unwinder)
{
    return unwinder->beyond;
}

/* What a wrapper calls, the wrapper itself, one that is further out and calls back into the
 * program: none of it is of the program, wherever the compiler has put it. */
static bool is_ours(const struct lh_unwinder *unwinder, uint64_t pc)
{
    return lh_starts_with(module_of(unwinder, pc), "libloophound.so"); /* .so.0.1 too */
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
    unwinder->reads_left = READS_PER_STEP;
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
    while (count < most && steps-- > 0 && step(unwinder, &cursor, &frame) &&
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
