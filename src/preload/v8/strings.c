/* SPDX-License-Identifier: Apache-2.0 */
/* V8's strings, as UTF-8 in a record. See heap.h for where it runs: no malloc, no stdio, no locks.
 *
 * A string is flat (its characters follow its header, or are elsewhere: external), or is told by
 * others: two halves, a part of another one, or one that has taken its place. The lowest bits of
 * its type say which (src/objects/instance-type.h of V8); they are the same in all versions. */
#include "preload/v8/strings.h"

#include <string.h>

#include "common/utf8.h"
#include "preload/v8/heap.h"

enum shape { SEQUENTIAL, HALVES, EXTERNAL, SLICED, THIN = 5, SHAPES = 7 };
#define ONE_BYTE 8

#define DATA        16 /* behind the map, the hash and the length */
#define SECOND      24 /* of halves the second, of a slice where it begins; external characters */
#define DEPTH_MAX   8  /* strings of strings */
#define UNITS_MAX   256u
#define REPLACEMENT 0xfffdu

struct head {
    uintptr_t map;
    uint32_t hash;
    uint32_t length;
};

/* False: it is no string. */
static bool read_head(struct lh_v8_walk *walk, uintptr_t string, struct head *head, int32_t *type)
{
    if (!lh_v8_is_object(string) || !lh_v8_read(walk, head, string - 1, sizeof(*head)))
        return false;
    *type = lh_v8_type_of_map(walk, head->map);
    return *type >= 0 && *type < walk->layout->at.type_not_string;
}

bool lh_v8_is_string(struct lh_v8_walk *walk, uintptr_t tagged)
{
    int32_t type = lh_v8_type(walk, tagged);
    return type >= 0 && type < walk->layout->at.type_not_string;
}

uint32_t lh_v8_string_length(struct lh_v8_walk *walk, uintptr_t string)
{
    struct head head;
    int32_t type;
    return read_head(walk, string, &head, &type) ? head.length : 0;
}

uint64_t lh_v8_string_bytes(struct lh_v8_walk *walk, uintptr_t string)
{
    struct head head;
    int32_t type;
    if (!read_head(walk, string, &head, &type))
        return 0;
    return (uint64_t)head.length << (((uint32_t)type & ONE_BYTE) == 0);
}

/* Halves of which the second is empty are what flattening leaves. */
static bool is_whole_half(struct lh_v8_walk *walk, uintptr_t string)
{
    return lh_v8_string_length(walk, lh_v8_field(walk, string, SECOND)) == 0;
}

bool lh_v8_string_flat(struct lh_v8_walk *walk, uintptr_t string, struct lh_v8_flat *flat)
{
    uint64_t skip = 0;
    uint32_t length = lh_v8_string_length(walk, string);
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        struct head head;
        int32_t type;
        if (!read_head(walk, string, &head, &type) || skip + length > head.length)
            return false;
        uint32_t shape = (uint32_t)type & SHAPES;
        if (shape == SEQUENTIAL || shape == EXTERNAL) {
            uintptr_t data =
                shape == EXTERNAL ? lh_v8_field(walk, string, SECOND) : string - 1 + DATA;
            bool is_wide = ((uint32_t)type & ONE_BYTE) == 0;
            *flat = (struct lh_v8_flat){data + skip * (1 + is_wide), length, is_wide};
            return true;
        }
        if (shape == SLICED)
            skip += (uint32_t)lh_v8_smi(lh_v8_field(walk, string, SECOND));
        else if (shape != THIN && (shape != HALVES || !is_whole_half(walk, string)))
            return false;
        string = lh_v8_field(walk, string, DATA);
    }
    return false;
}

/* Widened in their place. */
bool lh_v8_flat_units(struct lh_v8_walk *walk, const struct lh_v8_flat *flat, uint32_t from,
                      uint32_t count, uint16_t *units)
{
    if (flat->is_wide)
        return lh_v8_read(walk, units, flat->address + 2 * (uintptr_t)from, count * sizeof(*units));
    uint8_t *bytes = (uint8_t *)(units + count) - count;
    if (!lh_v8_read(walk, bytes, flat->address + from, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte = bytes[i];
        units[i] = byte;
    }
    return true;
}

/* Halves, to a depth: what is put together of many pieces is no name. */
static uint32_t read_units(struct lh_v8_walk *walk, uintptr_t string, uint32_t from, uint32_t count,
                           uint16_t *units)
{
    struct lh_v8_flat flat;
    uint32_t got = 0;
    for (int pieces = 0; pieces < DEPTH_MAX && got < count; pieces++) {
        uintptr_t piece = string;
        uint32_t at = from + got;
        for (int depth = 0; depth < DEPTH_MAX && !lh_v8_string_flat(walk, piece, &flat); depth++) {
            uintptr_t first = lh_v8_field(walk, piece, DATA);
            uint32_t length = lh_v8_string_length(walk, first);
            piece = at < length ? first : lh_v8_field(walk, piece, SECOND);
            at -= at < length ? 0 : length;
        }
        if (!lh_v8_string_flat(walk, piece, &flat) || at >= flat.length)
            break;
        uint32_t part = flat.length - at < count - got ? flat.length - at : count - got;
        if (!lh_v8_flat_units(walk, &flat, at, part, units + got))
            break;
        got += part;
    }
    return got;
}

bool lh_v8_string_is(struct lh_v8_walk *walk, uintptr_t string, const char *text)
{
    uint16_t units[24];
    uint32_t length = (uint32_t)strlen(text);
    if (length > sizeof(units) / sizeof(units[0]) || lh_v8_string_length(walk, string) != length ||
        read_units(walk, string, 0, length, units) != length)
        return false;
    for (uint32_t i = 0; i < length; i++)
        if (units[i] != (unsigned char)text[i])
            return false;
    return true;
}

/* What a string of C, or UTF-8, cannot have is replaced. */
static uint32_t next_code(const uint16_t *units, uint32_t count, uint32_t *at)
{
    uint32_t unit = units[(*at)++];
    bool is_first = unit >= 0xd800 && unit < 0xdc00;
    if (is_first && *at < count && units[*at] >= 0xdc00 && units[*at] < 0xe000)
        return 0x10000 + ((unit - 0xd800) << 10) + (units[(*at)++] - 0xdc00u);
    return unit == 0 || (unit >= 0xd800 && unit < 0xe000) ? REPLACEMENT : unit;
}

static uint32_t bytes_of(const uint16_t *units, uint32_t from, uint32_t count)
{
    uint32_t bytes = 0;
    while (from < count)
        bytes += lh_utf8_length(next_code(units, count, &from));
    return bytes;
}

static bool put_units(struct lh_record *record, const uint16_t *units, uint32_t from,
                      uint32_t count, uint32_t most, uint16_t *offset)
{
    if (record->strings_length + most + 1 > LH_STRING_BYTES)
        return false;
    char *begin = record->strings + record->strings_length;
    char *to = begin;
    while (from < count) {
        uint32_t code = next_code(units, count, &from);
        if ((uint32_t)(to - begin) + lh_utf8_length(code) > most)
            break;
        to = lh_utf8_put(to, code);
    }
    *to = '\0';
    *offset = (uint16_t)record->strings_length;
    record->strings_length += (uint32_t)(to - begin) + 1;
    return true;
}

static bool store(struct lh_v8_walk *walk, uintptr_t string, enum lh_v8_part part, uint32_t most,
                  uint16_t *offset)
{
    uint16_t *units = (uint16_t *)walk->scratch->source;
    uint32_t length = lh_v8_string_length(walk, string);
    uint32_t count = length < most ? length : most;
    uint32_t from = 0;
    count = read_units(walk, string, part == LH_V8_END ? length - count : 0, count, units);
    while (part == LH_V8_END && bytes_of(units, from, count) > most)
        from++;
    return count > 0 && put_units(walk->record, units, from, count, most, offset);
}

bool lh_v8_store_string(struct lh_v8_walk *walk, uintptr_t string, enum lh_v8_part part,
                        uint32_t most, uint16_t *offset)
{
    struct lh_v8_scratch *scratch = walk->scratch;
    size_t slot = string / LH_V8_WORD % LH_V8_NAMES;
    if (string != 0 && scratch->names[slot] == string) {
        *offset = scratch->name_at[slot];
        return true;
    }
    if (most > UNITS_MAX || !store(walk, string, part, most, offset))
        return false;
    scratch->names[slot] = string;
    scratch->name_at[slot] = *offset;
    return true;
}

bool lh_v8_store_text(struct lh_v8_walk *walk, const char *text, uint16_t *offset)
{
    struct lh_record *record = walk->record;
    uint32_t length = (uint32_t)strlen(text) + 1;
    if (record->strings_length + length > LH_STRING_BYTES)
        return false;
    memcpy(record->strings + record->strings_length, text, length);
    *offset = (uint16_t)record->strings_length;
    record->strings_length += length;
    return true;
}

/* One behind the other: what is stored once for all that have it is not to be gone on with. */
bool lh_v8_store_member(struct lh_v8_walk *walk, struct lh_v8_class of, uintptr_t name,
                        uint32_t most, uint16_t *offset)
{
    struct lh_record *record = walk->record;
    uint32_t strings = record->strings_length;
    uint16_t rest;
    bool has_class = of.text != NULL ? lh_v8_store_text(walk, of.text, offset)
                                     : store(walk, of.name, LH_V8_BEGIN, most, offset);
    if (has_class) {
        record->strings_length--; /* the point is in the place of its end */
        has_class = lh_v8_store_text(walk, ".", &rest);
    }
    if (has_class) {
        record->strings_length--;
        if (store(walk, name, LH_V8_BEGIN, most, &rest))
            return true;
    }
    record->strings_length = strings;
    return false;
}
