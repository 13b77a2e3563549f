/* SPDX-License-Identifier: Apache-2.0 */
/* Where a frame's values are. Runs where held.c does, and may do what that may.
 *
 * Up to 3.10 a frame has its open blocks, each with the number of values below it
 * (Include/frameobject.h). Since 3.11 the code object has a table instead, an entry for each range
 * of instructions that is in such a block (Objects/exception_handling_notes.txt in 3.11,
 * InternalDocs/exception_handling.md since): start, size and target in code units, and twice that
 * number with a flag; all numbers of six bits a byte, the greatest first, where bit 6 says that
 * more follow. The entries are in order of their starts. */
#include "preload/python/blocks.h"

#include <string.h>

#include "preload/python/object.h"

#define COUNT_MAX         4096  /* of locals or values: more are none */
#define TABLE_MAX         65536 /* bytes of a table that are looked at */
#define CHUNK             128u
#define NUMBER_BYTES_MAX  6
#define INSTRUCTION_BYTES 2 /* _Py_CODEUNIT */

/* PyFrameObject up to 3.10: f_valuestack, so many words behind f_code; before f_localsplus
 * f_blockstack, of type, handler and level each, and one or two ints before that f_iblock. */
#define VALUE_STACK_BEHIND_CODE (4 * LH_PYTHON_WORD)
#define BLOCKS                  20
struct block {
    int32_t type;
    int32_t handler;
    int32_t level;
};
#define BLOCK_COUNT_BEFORE (2 * sizeof(int32_t))

/* Words behind PyObject_HEAD: the size, co_consts, co_names. */
#define EXCEPTION_TABLE (3 * LH_PYTHON_WORD)

struct table {
    const struct lh_view *view;
    uintptr_t next;
    int64_t left;
    uint32_t at, end;
    uint8_t chunk[CHUNK];
};

static int32_t int_at(const struct lh_python_walk *walk, uintptr_t address)
{
    int32_t number;
    return lh_python_read(walk, &number, address, sizeof(number)) == 0 ? number : -1;
}

/* Negative: the table has ended. */
static int next_byte(struct table *table)
{
    if (table->at == table->end) {
        uint32_t size = table->left < CHUNK ? (uint32_t)table->left : CHUNK;
        if (size == 0 || lh_view_read(table->view, table->chunk, table->next, size) != 0)
            return -1;
        table->next += size;
        table->left -= size;
        table->at = 0;
        table->end = size;
    }
    return table->chunk[table->at++];
}

static int64_t next_number(struct table *table)
{
    int64_t number = 0;
    for (int i = 0; i < NUMBER_BYTES_MAX; i++) {
        int byte = next_byte(table);
        if (byte < 0)
            return -1;
        number = number << 6 | (byte & 0x3f);
        if ((byte & 0x40) == 0)
            return number;
    }
    return -1;
}

/* How many values the block around this instruction leaves; 0: there is none. */
static uint32_t live_at(struct table *table, int64_t unit)
{
    for (;;) {
        int64_t start = next_number(table);
        int64_t size = next_number(table);
        int64_t target = next_number(table);
        int64_t depth = next_number(table);
        if (start < 0 || size < 0 || target < 0 || depth < 0 || start > unit)
            return 0;
        if (unit < start + size)
            return depth / 2 <= COUNT_MAX ? (uint32_t)(depth / 2) : 0;
    }
}

static uint32_t live_by_table(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    const struct lh_python_layout *layout = walk->layout;
    uintptr_t bytes = lh_python_member(walk, step->code, EXCEPTION_TABLE);
    int64_t offset = lh_python_walk_instruction(walk, step);
    int64_t length = (int64_t)lh_python_word(walk, bytes + layout->at.bytes_length);
    if (offset < 0 || bytes == 0 || lh_python_type(walk, bytes) != layout->bytes_type ||
        length <= 0)
        return 0;
    struct table table = {.view = &walk->view,
                          .next = bytes + layout->at.bytes_data,
                          .left = length < TABLE_MAX ? length : TABLE_MAX};
    return live_at(&table, offset / INSTRUCTION_BYTES);
}

static bool find_by_table(const struct lh_python_walk *walk, const struct lh_python_step *step,
                          struct lh_python_variables *values)
{
    /* co_nlocalsplus follows co_firstlineno. */
    int32_t locals = int_at(walk, step->code + walk->layout->at.code_first_line + sizeof(int32_t));
    if (locals < 0 || locals > COUNT_MAX)
        return false;
    values->local_count = (uint32_t)locals;
    values->values = values->locals + (uintptr_t)locals * LH_PYTHON_WORD;
    values->live = live_by_table(walk, step);
    return true;
}

static bool find_by_blocks(const struct lh_python_walk *walk, const struct lh_python_step *step,
                           struct lh_python_variables *values)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t blocks = values->locals - BLOCKS * sizeof(struct block);
    int32_t count = int_at(walk, blocks - BLOCK_COUNT_BEFORE);
    values->values = lh_python_word(walk, step->frame + at->frame_code + VALUE_STACK_BEHIND_CODE);
    uintptr_t span = values->values - values->locals;
    if (span > COUNT_MAX * LH_PYTHON_WORD || count < 0 || count > BLOCKS)
        return false;
    values->local_count = (uint32_t)(span / LH_PYTHON_WORD);
    values->live = 0;
    if (count == 0)
        return true;
    int32_t level = int_at(walk, blocks + (uintptr_t)(count - 1) * sizeof(struct block) +
                                     offsetof(struct block, level));
    if (level < 0 || level > COUNT_MAX)
        return false;
    values->live = (uint32_t)level;
    return true;
}

bool lh_python_variables_find(const struct lh_python_walk *walk, const struct lh_python_step *step,
                              struct lh_python_variables *values)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    values->locals = step->frame + at->frame_locals;
    return at->frame_instruction == 0 ? find_by_blocks(walk, step, values)
                                      : find_by_table(walk, step, values);
}
