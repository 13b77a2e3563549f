/* SPDX-License-Identifier: Apache-2.0 */
/* Where an address stands in the source, by libdw. One thread at a time for one module. */
#ifndef LH_COLLECT_STACK_DWARF_H
#define LH_COLLECT_STACK_DWARF_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "collect/stack/demangle.h"
#include "collect/stack/symbol.h"

/* The line at this address and the calls that were inlined there, innermost first: each with the
 * name of its function, the last being the function that was compiled on its own. Returns their
 * number, 0: there is no debug information about it. DWARF 5, 3.3.8. */
uint32_t lh_dwarf_find(Dwfl_Module *module, uint64_t vaddr, struct lh_demangler *demangler,
                       struct lh_symbol *found, uint32_t most);

#endif
