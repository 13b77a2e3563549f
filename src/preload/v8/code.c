/* SPDX-License-Identifier: Apache-2.0 */
/* Which code an instruction is part of. See heap.h for where it runs: no malloc, no stdio, no
 * locks. */
#include "preload/v8/code.h"

#include <string.h>

#include "preload/v8/heap.h"

#define KIND_MASK 15u          /* of Code's flags */
#define FARTHEST  (1u << 20)   /* from an instruction to the begin of its code */
#define LOWEST    0x10000u     /* of an address … */
#define HIGHEST   (1ULL << 47) /* … of a program's */

#define CALL_BYTES 8   /* before a return address: of its call, at most */
#define SLOW_BYTES 248 /* behind it: of the rest of a slow way, most often */

static bool read_code(struct lh_v8_walk *walk, uintptr_t code, struct lh_v8_code *found)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    if (lh_v8_type(walk, code) != at->type_code)
        return false;
    found->code = code;
    found->start = at->stream_code == 0 ? code - 1 + (uintptr_t)at->code_start
                                        : lh_v8_field(walk, code, at->code_start);
    found->size = lh_v8_half(walk, code, at->code_size);
    found->kind = (int32_t)(lh_v8_half(walk, code, at->code_flags) & KIND_MASK);
    return true;
}

/* A return address may be right behind the last instruction. */
static bool has(const struct lh_v8_code *code, uintptr_t pc)
{
    return pc - code->start - 1 < code->size;
}

static bool is_code_map(struct lh_v8_walk *walk, uintptr_t word)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    if (walk->scratch->code_map != 0)
        return word == walk->scratch->code_map;
    if (!lh_v8_is_object(word) || word < LOWEST || word >= HIGHEST ||
        lh_v8_type_of_map(walk, word) != (at->stream_code == 0 ? at->type_code : at->type_stream))
        return false;
    walk->scratch->code_map = word; /* the same for all */
    return true;
}

enum verdict { GO_ON, FOUND, NOWHERE };

/* What begins at `address` begins with the map of code. */
static enum verdict look_at(struct lh_v8_walk *walk, uintptr_t address, uintptr_t pc,
                            struct lh_v8_code *found)
{
    uintptr_t object = address + 1;
    if (walk->layout->at.stream_code != 0)
        object = lh_v8_field(walk, object, walk->layout->at.stream_code);
    if (!read_code(walk, object, found))
        return GO_ON;
    if (has(found, pc))
        return FOUND;
    return found->start != 0 && found->start + found->size < pc ? NOWHERE : GO_ON;
}

/* Backwards from the instruction to the object that it is in. */
static bool search(struct lh_v8_walk *walk, uintptr_t pc, struct lh_v8_code *found)
{
    uintptr_t *words = walk->scratch->code;
    uintptr_t top = pc & ~(uintptr_t)(LH_V8_WORD - 1);
    enum verdict verdict = GO_ON;
    for (uintptr_t at = top; verdict == GO_ON && top - at < FARTHEST;) {
        uintptr_t from = (at - 1) & ~(uintptr_t)(LH_V8_CHUNK - 1);
        size_t count = (at - from) / LH_V8_WORD;
        if (walk->code_left < LH_V8_CHUNK || !lh_v8_read_far(walk, words, from, at - from))
            return false;
        walk->code_left -= LH_V8_CHUNK;
        while (verdict == GO_ON && count-- > 0)
            if (is_code_map(walk, words[count]))
                verdict = look_at(walk, from + count * LH_V8_WORD, pc, found);
        at = from;
    }
    return verdict == FOUND;
}

bool lh_v8_code_at(struct lh_v8_walk *walk, uintptr_t function, uintptr_t pc,
                   struct lh_v8_code *found)
{
    const struct lh_v8_layout *layout = walk->layout;
    if (pc < LOWEST || (pc >= layout->text && pc < layout->text_end))
        return false;
    if (layout->at.function_code != 0 &&
        read_code(walk, lh_v8_field(walk, function, layout->at.function_code), found) &&
        has(found, pc))
        return true;
    return search(walk, pc, found);
}

bool lh_v8_is_dispatch(struct lh_v8_walk *walk, uintptr_t pc)
{
    /* call *%rcx; mov -0x20(%rbp),%r12 */
    static const uint8_t around[] = {0xff, 0xd1, 0x4c, 0x8b, 0x65, 0xe0};
    uint8_t bytes[sizeof(around)];
    return lh_v8_read(walk, bytes, pc - 2, sizeof(bytes)) &&
           memcmp(bytes, around, sizeof(around)) == 0;
}

/* call *%reg; call disp8(%reg), disp32(%reg); call rel32: does one of them end with these bytes? */
static bool is_behind_call(const uint8_t before[CALL_BYTES])
{
    return (before[6] == 0xff && (before[7] & 0xf8) == 0xd0) ||
           (before[5] == 0xff && (before[6] & 0xf8) == 0x50) ||
           (before[2] == 0xff && (before[3] & 0xf8) == 0x90) || before[3] == 0xe8;
}

/* jmp rel32, to before `pc`: four bytes that happen to be such a number are none of the code's. */
uintptr_t lh_v8_back_from(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc)
{
    uint8_t bytes[CALL_BYTES + SLOW_BYTES];
    const size_t jump = 5;
    size_t read = lh_v8_read_some(walk, bytes, pc - CALL_BYTES, sizeof(bytes));
    if (read < CALL_BYTES || !is_behind_call(bytes))
        return pc;
    for (size_t i = CALL_BYTES; i + jump <= read; i++) {
        int32_t distance;
        memcpy(&distance, bytes + i + 1, sizeof(distance));
        uintptr_t to = pc + (i - CALL_BYTES) + jump + (uintptr_t)(int64_t)distance;
        if (bytes[i] == 0xe9 && to > code->start && to < pc)
            return to;
    }
    return pc;
}

uintptr_t lh_v8_literal(struct lh_v8_walk *walk, uintptr_t literals, int64_t index)
{
    uintptr_t found = lh_v8_element(walk, literals, index);
    return (found & 3) == 3 ? found & ~(uintptr_t)2 : found;
}
