/* SPDX-License-Identifier: Apache-2.0 */
/* Which functions a frame of optimised code stands for. See heap.h for where it runs: no malloc, no
 * stdio, no locks.
 *
 * Code that may have to be given up has a table of safepoints behind its instructions, which says
 * for each call the number of its deoptimisation; that one's entry in the DeoptimizationData says
 * where its translation begins, a list of operations that would put up the frames of the
 * interpreter (src/codegen/safepoint-table.cc, src/deoptimizer/translation-opcode.h of V8). The
 * operations are the same in 13.6 to 14.6. */
#include "preload/v8/translation.h"

#include <string.h>

#include "preload/v8/heap.h"
#include "preload/v8/tables.h"

enum {
    OP_FRAME_WITH_RETURN = 0,
    OP_FRAME = 1,
    OP_CONTINUATION = 2,
    OP_CONTINUATION_WITH_CATCH = 3,
    OP_BEGIN = 14,
    OP_BEGIN_WITH_FEEDBACK = 15,
    OP_LITERAL = 38,
    OP_MATCH = 44, /* as many operations as an earlier translation has there */
    OPS = 45,      /* from here on a short form of that */
};

#define OPERANDS_MAX 6

/* How many operands each operation has. */
static const uint8_t operands[OPS] = {6, 4, 3, 3, 2, 1, 3, 4, 3, 3, 3, 1, 0, 0, 3,
                                      3, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                      1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 2, 1};

struct op {
    uint32_t code;
    uint64_t operand[OPERANDS_MAX];
};

#define ENTRY_WORDS   3  /* of a deoptimisation: bytecode offset, where its translation is, pc */
#define ENTRIES_FIRST 12 /* behind what the data has once */

static bool is_begin(const struct op *op)
{
    return op->code == OP_BEGIN || op->code == OP_BEGIN_WITH_FEEDBACK;
}

static bool read_op(struct lh_v8_walk *walk, struct lh_v8_table *table, struct op *op)
{
    uint64_t code;
    *op = (struct op){.code = 0};
    if (!lh_v8_table_number(walk, table, &code) || code > INT8_MAX)
        return false;
    if (code >= OPS) {
        op->code = OP_MATCH;
        op->operand[0] = code - OPS;
        return true;
    }
    op->code = (uint32_t)code;
    for (uint32_t i = 0; i < operands[code]; i++)
        if (!lh_v8_table_number(walk, table, &op->operand[i]))
            return false;
    return true;
}

/* ---- the table of safepoints ---- */

struct safepoints {
    uint32_t count;
    uint32_t pc_bytes;
    uint32_t index_bytes;
    uint32_t entry_bytes;
    uint32_t header_bytes;
};

/* Header: stack slots, entries, their form, of Maglev one number more. */
static bool read_safepoints(struct lh_v8_walk *walk, const struct lh_v8_code *code,
                            struct safepoints *points)
{
    uint32_t head[3];
    bool is_maglev = code->kind == walk->layout->at.kind_baseline + 1;
    if (!lh_v8_read(walk, head, code->start + code->size, sizeof(head)) || (head[2] & 1) == 0)
        return false;
    uint32_t registers = head[2] >> 1 & 7;
    points->count = head[1];
    points->pc_bytes = head[2] >> 4 & 7;
    points->index_bytes = head[2] >> 7 & 7;
    points->entry_bytes = points->pc_bytes * 2 + points->index_bytes + is_maglev + registers;
    points->header_bytes = (uint32_t)sizeof(head) + (is_maglev ? 4 : 0);
    return points->pc_bytes >= 1 && points->pc_bytes <= 4 && points->index_bytes >= 1 &&
           points->index_bytes <= 4 &&
           points->count <= sizeof(walk->scratch->entries) / points->entry_bytes;
}

static uint32_t number_of(const uint8_t *bytes, uint32_t size)
{
    uint32_t number = 0;
    memcpy(&number, bytes, size);
    return number;
}

/* A frame whose code has been thrown away meanwhile returns to a trampoline of the same entry. */
static int64_t deoptimisation_at(struct lh_v8_walk *walk, const struct lh_v8_code *code,
                                 uint32_t pc_offset)
{
    const uint8_t *entry = walk->scratch->entries;
    struct safepoints points;
    if (!read_safepoints(walk, code, &points) ||
        !lh_v8_read(walk, walk->scratch->entries, code->start + code->size + points.header_bytes,
                    (size_t)points.count * points.entry_bytes))
        return -1;
    for (uint32_t i = 0; i < points.count; i++, entry += points.entry_bytes) {
        uint32_t pc = number_of(entry, points.pc_bytes);
        uint32_t index = number_of(entry + points.pc_bytes, points.index_bytes);
        uint32_t trampoline =
            number_of(entry + points.pc_bytes + points.index_bytes, points.pc_bytes);
        if (pc == pc_offset || (trampoline != 0 && trampoline - 1 == pc_offset))
            return (int64_t)index - 1;
    }
    return -1;
}

/* ---- the translation ---- */

struct reader {
    struct lh_v8_table now;
    struct lh_v8_table before; /* an earlier translation, which it goes along with */
    bool has_before;           /* … or else that is not open */
    uint64_t matching;         /* operations that are to be taken from there */
    uint64_t wanted;           /* frames of JavaScript */
};

static bool open_at(struct lh_v8_walk *walk, uintptr_t tagged, uint64_t offset,
                    struct lh_v8_table *table)
{
    if (!lh_v8_table_open(walk, tagged, table) || offset >= table->end - table->at)
        return false;
    table->at += offset;
    return true;
}

/* BEGIN: how far back an earlier one is, frames, of these of JavaScript. */
static bool begin(struct lh_v8_walk *walk, uintptr_t table, uint32_t at, struct reader *reader)
{
    struct op op;
    if (!open_at(walk, table, at, &reader->now) || !read_op(walk, &reader->now, &op) ||
        !is_begin(&op))
        return false;
    uint64_t back = op.operand[0];
    reader->has_before = back != 0;
    reader->matching = 0;
    reader->wanted = op.operand[2] >> 1; /* a signed number */
    return back == 0 || (back <= at && open_at(walk, table, at - back, &reader->before) &&
                         read_op(walk, &reader->before, &op));
}

/* False: there are no more. */
static bool next_op(struct lh_v8_walk *walk, struct reader *reader, struct op *op)
{
    struct op passed;
    while (reader->matching == 0) {
        if (!read_op(walk, &reader->now, op) || is_begin(op))
            return false;
        if (op->code != OP_MATCH) {
            if (reader->has_before)
                reader->has_before = read_op(walk, &reader->before, &passed);
            return true;
        }
        if (!reader->has_before)
            return false;
        reader->matching = op->operand[0];
    }
    reader->matching--;
    return read_op(walk, &reader->before, op) && !is_begin(op);
}

static bool is_frame(const struct op *op)
{
    return op->code <= OP_CONTINUATION_WITH_CATCH;
}

bool lh_v8_inlined_has_bytecodes(const struct lh_v8_inlined *inlined)
{
    return inlined->op <= OP_FRAME;
}

/* The first value of a frame is its function. Returns how many frames there are. */
static uint32_t read_frames(struct lh_v8_walk *walk, struct reader *reader, uintptr_t literals)
{
    struct lh_v8_inlined *inlined = walk->scratch->inlined;
    struct op op;
    uint32_t count = 0;
    bool is_first_value = false;
    while (next_op(walk, reader, &op)) {
        if (is_first_value && op.code == OP_LITERAL)
            inlined[count - 1].function =
                lh_v8_literal(walk, literals, lh_v8_zigzag(op.operand[0]));
        if (is_first_value && count == reader->wanted)
            break;
        is_first_value = is_frame(&op);
        if (!is_first_value)
            continue;
        if (count == LH_V8_INLINED_MAX)
            return 0;
        inlined[count++] = (struct lh_v8_inlined){
            .op = (int32_t)op.code,
            .offset = lh_v8_zigzag(op.operand[0]),
            .shared = lh_v8_zigzag(op.operand[1]),
            .bytecodes = lh_v8_zigzag(op.operand[2]),
        };
    }
    return count;
}

/* It proves itself: as many frames as announced, and the innermost is where the entry says. */
void lh_v8_translate(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc,
                     struct lh_v8_frames *frames)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    struct reader reader;
    uintptr_t data = lh_v8_field(walk, code->code, at->code_deopt);
    uintptr_t table = lh_v8_element(walk, data, 0);
    *frames = (struct lh_v8_frames){.literals = lh_v8_element(walk, data, at->deopt_literals),
                                    .constants = lh_v8_element(walk, data, at->deopt_literals - 1)};
    int64_t number =
        at->has_translations ? deoptimisation_at(walk, code, (uint32_t)(pc - code->start)) : -1;
    if (number < 0)
        return;
    int64_t entry = ENTRIES_FIRST + ENTRY_WORDS * number;
    uintptr_t offset = lh_v8_element(walk, data, entry);
    uintptr_t where = lh_v8_element(walk, data, entry + 1);
    if (!lh_v8_is_smi(where) || lh_v8_smi(where) < 0 ||
        !begin(walk, table, (uint32_t)lh_v8_smi(where), &reader))
        return;
    uint32_t count = read_frames(walk, &reader, frames->literals);
    if (count == 0 || count != reader.wanted)
        return;
    const struct lh_v8_inlined *innermost = &walk->scratch->inlined[count - 1];
    if (!lh_v8_inlined_has_bytecodes(innermost) || innermost->offset == lh_v8_smi(offset))
        frames->count = count;
}
