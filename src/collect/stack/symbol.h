/* SPDX-License-Identifier: Apache-2.0 */
/* A place in the source, as plain data. Any thread of the collector. */
#ifndef LH_COLLECT_STACK_SYMBOL_H
#define LH_COLLECT_STACK_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

/* What stands at a vaddr in the source; unknown is NULL or 0. Valid as long as the file is open. */
struct lh_symbol {
    const char *function;
    const char *file;
    uint32_t line;
    const char *directory; /* in which a relative `file` is */
    bool inlined;          /* into the next one */
};

#define LH_SYMBOLS_MAX 32u

#endif
