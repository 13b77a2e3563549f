/* Line numbers from the location table of a code object, CPython 3.11 and later. */
#ifndef LH_PRELOAD_PYTHON_LINES_H
#define LH_PRELOAD_PYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "preload/memory.h"

/* The line of the instruction at `offset` (bytes from the start of the bytecode) in the table of
 * `length` bytes at `table`; `first_line` is co_firstlineno. The table is streamed, so its length
 * does not matter to the stack. Any thread, also the watchdog. Returns 0 when the line is unknown:
 * the table has none for it, cannot be read, or is no such table.
 * Format: Objects/locations.md in CPython 3.11 (InternalDocs/code_objects.md in 3.14). */
uint32_t lh_python_line(lh_memory_read *read, uintptr_t table, size_t length, int32_t first_line,
                        int64_t offset);

#endif
