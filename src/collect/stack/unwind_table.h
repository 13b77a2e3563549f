/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the unwind description of an address in an ELF file. */
#ifndef LH_COLLECT_STACK_UNWIND_TABLE_H
#define LH_COLLECT_STACK_UNWIND_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/elf_file.h"

struct lh_unwind_entry {
    uint64_t header_vaddr; /* of .eh_frame_hdr: what the table counts from */
    uint64_t entry_vaddr;  /* of the one row of its table for the address */
};

/* The row of the file's .eh_frame_hdr table for this address. False: there is none, or what it
 * leads to must not be given to an unwinder. */
bool lh_unwind_entry_find(const struct lh_elf *elf, uint64_t vaddr, struct lh_unwind_entry *entry);

#endif
