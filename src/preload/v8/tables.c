/* SPDX-License-Identifier: Apache-2.0 */
/* V8's tables of numbers. See heap.h for where it runs: no malloc, no stdio, no locks.
 *
 * A table of positions (src/codegen/source-position-table.cc of V8) has two numbers an entry: how
 * far it is from the entry before, in the code and in the source. Up to 13.6 the sign of the first
 * says whether a statement begins there; later its two lowest bits are flags. */
#include "preload/v8/tables.h"

#include <stdatomic.h>

#include "preload/v8/heap.h"

#define NUMBER_BITS   63
#define LONG_TABLE    1024      /* bytes */
#define BYTECODES_MAX (1 << 20) /* bytes of one function */
#define BYTECODE_COST 4         /* in bytes of a table: what finding its size takes */
#define WIDTHS        4 /* bytecodes below are prefixes: Wide, ExtraWide, and for debuggers */

/* Of a right table the last entry is seldom far from the last bytecode. */
#define FARTHEST_LEAST 96
#define FARTHEST_PART  3

bool lh_v8_table_open(struct lh_v8_walk *walk, uintptr_t tagged, struct lh_v8_table *table)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    int32_t type = lh_v8_type(walk, tagged);
    int32_t length = lh_v8_length(walk, tagged);
    if (type < 0 || (type != at->type_bytes && type != at->type_trusted_bytes) || length <= 0)
        return false;
    table->at = tagged - 1 + LH_V8_ARRAY_HEADER;
    table->end = table->at + (uint32_t)length;
    table->have = 0;
    table->next = 0;
    table->bytes = table->window;
    return true;
}

/* One table at a time is gone through by itself. A long one is read past the view, which has no
 * room for many. */
static bool open_alone(struct lh_v8_walk *walk, uintptr_t tagged, struct lh_v8_table *table)
{
    if (!lh_v8_table_open(walk, tagged, table))
        return false;
    if (table->end - table->at > LONG_TABLE)
        table->bytes = walk->scratch->table;
    return true;
}

static bool read_window(struct lh_v8_walk *walk, struct lh_v8_table *table)
{
    bool is_long = table->bytes != table->window;
    uint32_t room = is_long ? LH_V8_CHUNK : LH_V8_WINDOW;
    uintptr_t left = table->end - table->at;
    table->have = left < room ? (uint32_t)left : room;
    table->next = 0;
    return table->have > 0 && lh_v8_spend(walk, table->have) &&
           (is_long ? lh_v8_read_far : lh_v8_read)(walk, table->bytes, table->at, table->have);
}

static bool next_byte(struct lh_v8_walk *walk, struct lh_v8_table *table, uint8_t *byte)
{
    if (table->next == table->have) {
        if (!read_window(walk, table)) {
            table->have = 0;
            return false;
        }
        table->at += table->have;
    }
    *byte = table->bytes[table->next++];
    return true;
}

bool lh_v8_table_number(struct lh_v8_walk *walk, struct lh_v8_table *table, uint64_t *number)
{
    uint8_t byte;
    *number = 0;
    for (int shift = 0; shift < NUMBER_BITS && next_byte(walk, table, &byte); shift += 7) {
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

/* SourcePosition (src/codegen/source-position.h): bit 0 is set where it is none of JavaScript. */
struct lh_v8_position lh_v8_position_of(int64_t packed)
{
    uint64_t bits = (uint64_t)packed;
    return (struct lh_v8_position){
        .offset = (bits & 1) != 0 ? 0 : (uint32_t)(bits >> 1) & 0x3fffffff,
        .inlining = (uint32_t)(bits >> 31) & 0xffff,
    };
}

struct entry {
    int64_t at; /* in the code */
    int64_t position;
};

/* Sums without a sign: what is read may be anything. */
static bool next_entry(struct lh_v8_walk *walk, struct lh_v8_table *table, struct entry *entry)
{
    uint64_t code;
    uint64_t source;
    if (!lh_v8_table_number(walk, table, &code) || !lh_v8_table_number(walk, table, &source))
        return false;
    int64_t step = lh_v8_zigzag(code);
    uint64_t far = step >= 0 ? (uint64_t)step : ~(uint64_t)step;
    if (walk->layout->at.deltas == LH_V8_FLAGS_BELOW)
        far = code >> 2;
    entry->at = (int64_t)((uint64_t)entry->at + far);
    entry->position = (int64_t)((uint64_t)entry->position + (uint64_t)lh_v8_zigzag(source));
    return true;
}

bool lh_v8_position_in_code(struct lh_v8_walk *walk, uintptr_t tagged, int64_t offset,
                            struct lh_v8_position *position, bool *is_last)
{
    struct lh_v8_table table;
    struct entry entry = {.at = -1};
    bool found = false;
    *is_last = false;
    if (!open_alone(walk, tagged, &table))
        return false;
    bool has_entry;
    while ((has_entry = next_entry(walk, &table, &entry)) && entry.at <= offset) {
        *position = lh_v8_position_of(entry.position);
        found = true;
    }
    *is_last = !has_entry;
    return found;
}

#define COUNTED 16 /* tables that were the latest at their place */

/* A function is evidence once, however many stacks it stands in: a program's first stacks may all
 * be of one function. */
static bool was_counted(uintptr_t bytecodes)
{
    static _Atomic uintptr_t counted[COUNTED];
    return atomic_exchange(&counted[bytecodes / 16 % COUNTED], bytecodes) == bytecodes;
}

static void note_end(struct lh_v8_walk *walk, uintptr_t bytecodes, int64_t last, int64_t length)
{
    if (was_counted(bytecodes))
        return;
    walk->proof.tables++;
    walk->proof.fitting += last == length - 1;
}

static bool read_position(struct lh_v8_walk *walk, uintptr_t bytecodes, int64_t offset,
                          struct lh_v8_position *position)
{
    const struct lh_v8_layout *layout = walk->layout;
    struct lh_v8_table table;
    struct entry entry = {.at = -1};
    bool found = false;
    int64_t length = lh_v8_length(walk, bytecodes);
    uintptr_t tagged = lh_v8_field(walk, bytecodes, layout->at.bytecodes_table);
    if (!layout->has_positions || length <= 0 || !open_alone(walk, tagged, &table))
        return false;
    while (next_entry(walk, &table, &entry))
        if (entry.at <= offset) {
            *position = lh_v8_position_of(entry.position);
            found = true;
        }
    if (walk->reads_left > 0 && walk->table_left > 0) /* else it is not the table that ended */
        note_end(walk, bytecodes, entry.at, length);
    int64_t farthest = length / FARTHEST_PART;
    if (farthest < FARTHEST_LEAST)
        farthest = FARTHEST_LEAST;
    return found && entry.at < length && entry.at >= length - farthest;
}

bool lh_v8_position_in_bytecodes(struct lh_v8_walk *walk, uintptr_t bytecodes, int64_t offset,
                                 struct lh_v8_position *position)
{
    struct lh_v8_placed *placed =
        &walk->scratch->placed[(bytecodes / LH_V8_WORD + (uint64_t)offset) % LH_V8_PLACED];
    if (bytecodes != 0 && placed->bytecodes == bytecodes && placed->offset == offset) {
        *position = (struct lh_v8_position){.offset = placed->position};
        return true;
    }
    if (!read_position(walk, bytecodes, offset, position))
        return false;
    *placed = (struct lh_v8_placed){bytecodes, offset, position->offset};
    return true;
}

/* Bytes of the bytecode at this address, with its prefix; 0: it is none. */
static uint32_t bytecode_size(struct lh_v8_walk *walk, uintptr_t address)
{
    const struct lh_v8_bytecodes *known = &walk->layout->bytecodes;
    uint8_t op[2];
    if (!lh_v8_spend(walk, BYTECODE_COST) || lh_v8_read_some(walk, op, address, sizeof(op)) == 0)
        return 0;
    uint32_t width = op[0] < WIDTHS ? 1 + (op[0] & 1u) : 0;
    uint8_t code = op[width > 0];
    return code < known->count ? (width > 0) + known->sizes[width * known->count + code] : 0;
}

/* The code's table has one step of the program counter for what comes before the first bytecode,
 * then one for each. */
bool lh_v8_baseline_offset(struct lh_v8_walk *walk, uintptr_t code, uintptr_t bytecodes,
                           uint64_t pc_offset, int64_t *offset)
{
    const struct lh_v8_layout *layout = walk->layout;
    struct lh_v8_table table;
    uint64_t pc = 0;
    bool found = false;
    int64_t at = -1;
    int64_t length = lh_v8_length(walk, bytecodes);
    uintptr_t first = bytecodes - 1 + (uintptr_t)layout->at.bytecodes_data;
    if (layout->bytecodes.count == 0 || length <= 0 || length > BYTECODES_MAX ||
        !lh_v8_table_open(walk, lh_v8_field(walk, code, layout->at.code_table), &table))
        return false;
    while (at < length) {
        uint64_t step = 0;
        uint32_t size = at < 0 ? 1 : bytecode_size(walk, first + (uintptr_t)at);
        if (size == 0 || (!found && !lh_v8_table_number(walk, &table, &step)))
            return false;
        if (!found) {
            pc += step;
            found = pc_offset <= pc;
            *offset = at;
        }
        at += size;
    }
    return found && at == length; /* else these are another version's sizes */
}
