/* SPDX-License-Identifier: Apache-2.0 */
/* What libunwind's remote interface asks of a process, from a record and from the ELF files.
 *
 * Runs in the collector. Registers, stack and files may be hostile: every word goes through
 * read_memory, which has a budget, so no loop in unwind data is endless. */
#include "collect/stack/unwind_refusals.h"
#include "collect/stack/unwind_registers.h"
#include "collect/stack/unwind_table.h"
#include "collect/stack/unwinder.h"

#define BEYOND_MAX (1u << 20) /* bytes above the copy that may still be of this stack */

/* Exported by libunwind for such accessors, but in no header. */
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *table,
                               unw_proc_info_t *info, int need_unwind_info, void *argument);

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

bool lh_unwind_read_file(struct lh_unwinder *unwinder, uint64_t address, unw_word_t *value)
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

bool lh_unwind_read_stack(struct lh_unwinder *unwinder, uint64_t address, unw_word_t *value)
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

bool lh_unwind_in_code(const struct lh_unwinder *unwinder, uint64_t pc)
{
    const struct lh_mapping *mapping = lh_modules_find(unwinder->modules, pc);
    return mapping != NULL && mapping->executable;
}

/* Of a word that may be a return address: it is one if it leads into code without it. */
static void take_signature_out(struct lh_unwinder *unwinder, unw_word_t *value)
{
    uint64_t plain = lh_unwind_plain_address(*value);
    if (plain != *value && lh_unwind_in_code(unwinder, plain))
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
    if (lh_unwind_read_stack(unwinder, address, value)) {
        take_signature_out(unwinder, value);
        return 0;
    }
    return lh_unwind_read_file(unwinder, address, value) ? 0 : -UNW_EINVAL;
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

unw_addr_space_t lh_unwind_space(void)
{
    union accessors accessors = {.words = {0}};
    accessors.known = lh_unwind_refusals;
    accessors.known.find_proc_info = find_proc_info;
    accessors.known.access_mem = read_memory;
    accessors.known.access_reg = read_register;
    unw_addr_space_t space = unw_create_addr_space(&accessors.known, 0);
    if (space != NULL)
        unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
    return space;
}
