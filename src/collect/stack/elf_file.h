/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files as the collector sees them: mapped read-only, shared by all watched processes. */
#ifndef LH_COLLECT_STACK_ELF_FILE_H
#define LH_COLLECT_STACK_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/stack/symbol.h"

struct lh_symbols;

/* One ELF file. Addresses in it ("vaddr") count as its own symbol table does. */
struct lh_elf;

/* The program or library for this processor behind `fd`, which stays the caller's. Files are told
 * apart by device, inode, time and size; the same file opened again is the same lh_elf. `path` is
 * where separate debug files are looked for. NULL: not such a file. Any thread. */
struct lh_elf *lh_elf_open(int fd, const char *path);

/* The last user gone, a few files are kept for the next process. NULL is allowed. Any thread. */
void lh_elf_release(struct lh_elf *elf);

/* Which vaddr is loaded from this offset of the file? False: none. */
bool lh_elf_vaddr(const struct lh_elf *elf, uint64_t file_offset, uint64_t *vaddr);

/* Copies all `size` bytes at a vaddr, or at an offset of the file. False: they are not all there.
 */
bool lh_elf_read(const struct lh_elf *elf, uint64_t vaddr, void *to, size_t size);
bool lh_elf_read_offset(const struct lh_elf *elf, uint64_t file_offset, void *to, size_t size);

/* The .eh_frame_hdr (Linux Standard Base 5.0, 10.6.2). False: there is none. */
bool lh_elf_eh_frame_hdr(const struct lh_elf *elf, uint64_t *vaddr, uint64_t *size);

/* Hexadecimal; NULL: the file has none. Valid as long as `elf`. */
const char *lh_elf_build_id(const struct lh_elf *elf);

/* Whose symbols are looked at, so that they are there also when they are given up meanwhile. One
 * thread's; all zero: nobody's. */
#define LH_KEPT_MAX 256u
struct lh_kept {
    uint32_t count;
    struct lh_symbols *symbols[LH_KEPT_MAX];
};

void lh_kept_let_go(struct lh_kept *kept);

/* The function at a vaddr, and before it those that were inlined there, innermost first. Returns
 * how many, one at least. What they point to is there until lh_kept_let_go(); of more than
 * LH_KEPT_MAX files nothing is known until then. `kept` NULL: no symbols are ever given up. Any
 * thread; the first call for a file reads its symbol table. */
uint32_t lh_elf_symbols(struct lh_elf *elf, uint64_t vaddr, struct lh_symbol found[LH_SYMBOLS_MAX],
                        struct lh_kept *kept);

/* Gives up the symbols and the debug information of the file for which nobody has asked for
 * longest; the next question reads them again. The one that was asked for last stays: it would be
 * read again for the next report. False: there are no others that could be given up now. Any
 * thread. */
bool lh_elf_forget_oldest(void);

#endif
