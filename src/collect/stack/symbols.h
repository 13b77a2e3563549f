/* SPDX-License-Identifier: Apache-2.0 */
/* Functions and source lines of one ELF file, by libdw: .symtab, .dynsym, MiniDebugInfo, and
 * separate debug files found on this machine by build-id or debug link. Never the network.
 *
 * One thread at a time for one lh_symbols. */
#ifndef LH_COLLECT_STACK_SYMBOLS_H
#define LH_COLLECT_STACK_SYMBOLS_H

#include <stdint.h>

#include "collect/stack/symbol.h"

struct lh_symbols;

/* Reads the symbol table of the file behind `fd`, which stays the caller's. NULL: there is nothing
 * to be read. */
struct lh_symbols *lh_symbols_new(int fd, const char *path);

/* One user more than the first, and one less; the last one gone, they are freed. NULL is allowed.
 * Any thread. */
void lh_symbols_hold(struct lh_symbols *symbols);
void lh_symbols_release(struct lh_symbols *symbols);

/* What stands at this address of the file, as lh_elf_symbols() gives it. Asked again, it is a
 * look-up in a small table. */
uint32_t lh_symbols_find(struct lh_symbols *symbols, uint64_t vaddr,
                         struct lh_symbol found[LH_SYMBOLS_MAX]);

#endif
