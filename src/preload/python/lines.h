/* SPDX-License-Identifier: Apache-2.0 */
/* Line numbers from the line table of a code object, in the three formats since CPython 3.8. */
#ifndef LH_PRELOAD_PYTHON_LINES_H
#define LH_PRELOAD_PYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "preload/sys/view.h"

enum lh_python_line_format {
    LH_PYTHON_LOCATIONS, /* 3.11: co_linetable, Objects/locations.md in CPython 3.11
                            (InternalDocs/code_objects.md in 3.14) */
    LH_PYTHON_RANGES,    /* 3.10: co_linetable, PEP 626, Objects/lnotab_notes.txt in 3.10 */
    LH_PYTHON_LNOTAB,    /* up to 3.9: co_lnotab, Objects/lnotab_notes.txt in 3.9 */
};

/* The line of the instruction at `offset` (bytes from the start of the bytecode) in the table of
 * `length` bytes at `table`; `first_line` is co_firstlineno. The table is streamed, so its length
 * does not matter to the stack. Any thread, also the watchdog. Returns 0 when the line is unknown:
 * the table has none for it, cannot be read, or is no such table. */
uint32_t lh_python_line(enum lh_python_line_format format, const struct lh_view *view,
                        uintptr_t table, size_t length, int32_t first_line, int64_t offset);

#endif
