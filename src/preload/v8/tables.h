/* SPDX-License-Identifier: Apache-2.0 */
/* V8's tables of numbers, seven bits a byte: where in the source an instruction is. See heap.h for
 * who may call what. */
#ifndef LH_PRELOAD_V8_TABLES_H
#define LH_PRELOAD_V8_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/walker.h"

#define LH_V8_WINDOW 128u

/* A byte array that is read from its begin on. */
struct lh_v8_table {
    uintptr_t at;
    uintptr_t end;
    uint32_t have;
    uint32_t next;
    uint8_t *bytes; /* those that were read: `window`, or of a long table walk->scratch->table */
    uint8_t window[LH_V8_WINDOW];
};

/* False: it is no byte array, or empty. */
bool lh_v8_table_open(struct lh_v8_walk *walk, uintptr_t tagged, struct lh_v8_table *table);

/* False: the table has ended. */
bool lh_v8_table_number(struct lh_v8_walk *walk, struct lh_v8_table *table, uint64_t *number);

static inline int64_t lh_v8_zigzag(uint64_t number)
{
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

/* What an entry of a table of positions says: the place in the source, plus 1, of the function or,
 * not 0, of the one with that number, less 1, that was inlined into it. */
struct lh_v8_position {
    uint32_t offset; /* 0: not known */
    uint32_t inlining;
};

struct lh_v8_position lh_v8_position_of(int64_t packed);

/* The position of the last entry at or before `offset`, of machine code, and whether it is the
 * table's last one. False: there is none. */
bool lh_v8_position_in_code(struct lh_v8_walk *walk, uintptr_t tagged, int64_t offset,
                            struct lh_v8_position *position, bool *is_last);

/* The same of `offset` in the bytecodes of a BytecodeArray. The whole table is read, for its end
 * tells whether it is as this version's tables are: see walk->proof. */
bool lh_v8_position_in_bytecodes(struct lh_v8_walk *walk, uintptr_t bytecodes, int64_t offset,
                                 struct lh_v8_position *position);

/* Where in the bytecodes a frame of Sparkplug's code stands, whose return address is so far into
 * the code; -1: before the first. False: it cannot be told. */
bool lh_v8_baseline_offset(struct lh_v8_walk *walk, uintptr_t code, uintptr_t bytecodes,
                           uint64_t pc_offset, int64_t *offset);

#endif
