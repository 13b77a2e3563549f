/* SPDX-License-Identifier: Apache-2.0 */
/* The row of offsets for one interpreter. Pure: runs anywhere, touches nothing but its arguments.
 */
#include "preload/python/offsets.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "preload/python/lines.h"

/* The start of _Py_DebugOffsets: Include/internal/pycore_runtime.h of 3.13, the same ever since. */
struct debug_offsets {
    char cookie[8];
    uint64_t version; /* PY_VERSION_HEX */
    uint64_t free_threaded;
};

static const struct row {
    uint32_t version;
    bool by_debug_offsets;
    struct lh_python_offsets offsets;
} rows[] = {
#define PYTHON(number, ...) {.version = number, .offsets = {__VA_ARGS__}},
#define PYTHON_BY_DEBUG_OFFSETS(number, ...)                                                       \
    {.version = number, .by_debug_offsets = true, .offsets = {__VA_ARGS__}},
#include "preload/python/offsets.def"
};

#define STRING_KIND_BIT 2 /* after `interned`, two bits */

#define POSITIONS (offsetof(struct lh_python_offsets, thread_task) / sizeof(uint16_t))

/* Replaces each position in `found` by the number that stands there. */
static int follow_positions(struct lh_python_offsets *found, const void *runtime, size_t size)
{
    uint16_t columns[POSITIONS];
    memcpy(columns, found, sizeof(columns));
    for (size_t i = 0; i < POSITIONS; i++) {
        uint64_t offset;
        if (columns[i] == 0)
            continue;
        if (columns[i] + sizeof(offset) > size)
            return -ENOTSUP;
        memcpy(&offset, (const char *)runtime + columns[i], sizeof(offset));
        if (offset > UINT16_MAX)
            return -ENOTSUP;
        columns[i] = (uint16_t)offset;
    }
    memcpy(found, columns, sizeof(columns));
    return 0;
}

static int follow_debug_offsets(uint32_t version, struct lh_python_offsets *found,
                                const void *runtime, size_t size)
{
    struct debug_offsets start;
    if (runtime == NULL || size < sizeof(start))
        return -ENOTSUP;
    memcpy(&start, runtime, sizeof(start));
    if (memcmp(start.cookie, "xdebugpy", sizeof(start.cookie)) != 0 ||
        start.version >> 16 != version)
        return -ENOTSUP;
    int error = follow_positions(found, runtime, size);
    if (error)
        return error;
    /* PyCompactUnicodeObject adds utf8_length and utf8; its size is not among the numbers. */
    found->string_wide = (uint16_t)(found->string_ascii + 2 * sizeof(uint64_t));
    /* Nor are the bits of a str's state: in free-threaded builds `interned` became a byte. */
    found->is_free_threaded = start.free_threaded != 0;
    found->string_kind_bit = found->is_free_threaded && version >= 0x030e ? 8 : STRING_KIND_BIT;
    return 0;
}

static uint16_t larger(uint16_t one, uint16_t other)
{
    return one > other ? one : other;
}

static uint16_t frame_span(const struct lh_python_offsets *at)
{
    uint16_t pointers = larger(at->frame_previous, larger(at->frame_code, at->frame_instruction));
    uint16_t bytes = larger(at->frame_owner, at->frame_is_entry);
    uint16_t ints = larger(at->frame_last_instruction, at->frame_bytecode_index);
    return larger(larger((uint16_t)(pointers + sizeof(uintptr_t)), (uint16_t)(bytes + 1)),
                  (uint16_t)(ints + sizeof(int32_t)));
}

static uint16_t code_span(const struct lh_python_offsets *at)
{
    uint16_t pointers = larger(larger(at->code_filename, at->code_qualname),
                               larger(at->code_line_table, at->object_type));
    pointers = larger(pointers, at->code_bytecode_copies);
    return larger((uint16_t)(pointers + sizeof(uintptr_t)),
                  (uint16_t)(at->code_first_line + sizeof(int32_t)));
}

/* Does all that the walk reads lie inside what it reads, and that inside its buffers? */
static bool fits(const struct lh_python_offsets *at)
{
    const uint16_t word = sizeof(uint64_t);
    return at->frame_span <= LH_PYTHON_FRAME_SPAN_MAX && at->code_span <= LH_PYTHON_CODE_SPAN_MAX &&
           at->object_type + word <= at->string_ascii &&
           at->string_length + word <= at->string_ascii &&
           at->string_state + sizeof(uint32_t) <= at->string_ascii &&
           at->string_ascii <= LH_PYTHON_HEADER_SPAN_MAX &&
           at->object_type + word <= at->bytes_data && at->bytes_length + word <= at->bytes_data &&
           at->bytes_data <= LH_PYTHON_HEADER_SPAN_MAX;
}

static enum lh_python_line_format line_format(uint32_t version)
{
    if (version < 0x030a)
        return LH_PYTHON_LNOTAB;
    return version == 0x030a ? LH_PYTHON_RANGES : LH_PYTHON_LOCATIONS;
}

static enum lh_python_values instance_values(uint32_t version)
{
    if (version < 0x030b)
        return LH_PYTHON_VALUES_IN_DICT;
    if (version == 0x030b)
        return LH_PYTHON_VALUES_BESIDE;
    return version == 0x030c ? LH_PYTHON_VALUES_TAGGED : LH_PYTHON_VALUES_INLINE;
}

static int fill(const struct row *row, const void *runtime, size_t size,
                struct lh_python_offsets *found)
{
    *found = row->offsets;
    if (!row->by_debug_offsets) {
        found->string_kind_bit = STRING_KIND_BIT;
    } else {
        int error = follow_debug_offsets(row->version, found, runtime, size);
        if (error)
            return error;
    }
    found->line_format = line_format(row->version);
    found->instance_values = instance_values(row->version);
    found->frame_span = frame_span(found);
    found->code_span = code_span(found);
    return fits(found) ? 0 : -ENOTSUP;
}

int lh_python_offsets_find(uint32_t version, const void *runtime, size_t size,
                           struct lh_python_offsets *found)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].version == version)
            return fill(&rows[i], runtime, size, found);
    return -ENOTSUP;
}
