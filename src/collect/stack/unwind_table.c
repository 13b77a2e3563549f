/* SPDX-License-Identifier: Apache-2.0 */
/* The table of .eh_frame_hdr (Linux Standard Base 5.0, 10.6.2) and a look at the CIE behind a row.
 *
 * Runs in the collector on files that may be corrupt. libunwind could search the table itself, at
 * one call-back for every word; and it believes the CIE's return address column, which it uses as
 * an index into the cursor. So the search and that check are here, and libunwind gets one row. */
#include "collect/stack/unwind_table.h"

#include <dwarf.h>
#include <stddef.h>

#include "collect/stack/unwind_registers.h"

#define AUGMENTATION_MAX 8u
#define LEB128_BYTES     10u

struct row {
    int32_t start; /* both count from the header */
    int32_t description;
};

struct table {
    uint64_t vaddr;
    uint64_t rows;
};

static bool read_byte(const struct lh_elf *elf, uint64_t *vaddr, uint8_t *byte)
{
    return lh_elf_read(elf, (*vaddr)++, byte, 1);
}

/* Unsigned; of a signed one only the length is right, and only that is wanted. */
static bool read_leb128(const struct lh_elf *elf, uint64_t *vaddr, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < LEB128_BYTES; i++) {
        uint8_t byte;
        if (!read_byte(elf, vaddr, &byte))
            return false;
        if (i < LEB128_BYTES - 1)
            *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

/* Reads past the string; only the "zPLRS…" kind is known to today's compilers. */
static bool skip_augmentation(const struct lh_elf *elf, uint64_t *vaddr)
{
    for (unsigned i = 0; i < AUGMENTATION_MAX; i++) {
        uint8_t byte;
        if (!read_byte(elf, vaddr, &byte))
            return false;
        if (byte == '\0')
            return true;
        if (i == 0 && byte != 'z')
            return false;
    }
    return false;
}

static bool cie_is_sound(const struct lh_elf *elf, uint64_t vaddr)
{
    struct {
        uint32_t length;
        uint32_t id;
    } head;
    uint8_t version;
    uint64_t value;
    if (!lh_elf_read(elf, vaddr, &head, sizeof(head)) || head.id != 0 || head.length == 0 ||
        head.length >= 0xfffffff0)
        return false;
    vaddr += sizeof(head);
    if (!read_byte(elf, &vaddr, &version) || (version != 1 && version != 3) ||
        !skip_augmentation(elf, &vaddr) || !read_leb128(elf, &vaddr, &value) ||
        !read_leb128(elf, &vaddr, &value))
        return false;
    /* A byte in version 1, LEB128 in version 3: the same for so small a number. */
    uint8_t column;
    return read_byte(elf, &vaddr, &column) && column <= lh_unwind_return_column;
}

static bool fde_is_sound(const struct lh_elf *elf, uint64_t vaddr)
{
    struct {
        uint32_t length;
        uint32_t cie_distance;
    } head;
    if (!lh_elf_read(elf, vaddr, &head, sizeof(head)) || head.length == 0 ||
        head.length >= 0xfffffff0 || head.cie_distance == 0)
        return false;
    return cie_is_sound(elf, vaddr + sizeof(head.length) - head.cie_distance);
}

/* Linkers write one form of header: four-byte numbers, a table relative to its own start. */
static bool find_table(const struct lh_elf *elf, uint64_t header, uint64_t size,
                       struct table *table)
{
    struct {
        uint8_t version, pointer_encoding, count_encoding, table_encoding;
        uint32_t eh_frame;
        uint32_t count;
    } head;
    if (size < sizeof(head) || !lh_elf_read(elf, header, &head, sizeof(head)))
        return false;
    if (head.version != 1 || (head.pointer_encoding & 0x07) != DW_EH_PE_udata4 ||
        head.count_encoding != DW_EH_PE_udata4 ||
        head.table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
        return false;
    uint64_t room = (size - sizeof(head)) / sizeof(struct row);
    table->vaddr = header + sizeof(head);
    table->rows = head.count < room ? head.count : room;
    return true;
}

bool lh_unwind_entry_find(const struct lh_elf *elf, uint64_t vaddr, struct lh_unwind_entry *entry)
{
    uint64_t header;
    uint64_t size;
    struct table table;
    if (!lh_elf_eh_frame_hdr(elf, &header, &size) || !find_table(elf, header, size, &table))
        return false;

    int64_t wanted = (int64_t)(vaddr - header);
    uint64_t low = 0;
    uint64_t high = table.rows;
    struct row row = {0, 0};
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (!lh_elf_read(elf, table.vaddr + middle * sizeof(row), &row, sizeof(row)))
            return false;
        if (row.start <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    entry->header_vaddr = header;
    entry->entry_vaddr = table.vaddr + (low - 1) * sizeof(row);
    return lh_elf_read(elf, entry->entry_vaddr, &row, sizeof(row)) &&
           fde_is_sound(elf, header + (uint64_t)(int64_t)row.description);
}
