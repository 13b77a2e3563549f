/* SPDX-License-Identifier: Apache-2.0 */
/* From a place in a script's source to its line. See heap.h for where it runs: no malloc, no stdio,
 * no locks. */
#include "preload/v8/lines.h"

#include <string.h>

#include "common/js_check.h"
#include "preload/v8/heap.h"
#include "preload/v8/strings.h"

/* Script: the line and the column where its source begins in its file. */
#define SCRIPT_LINE   24
#define SCRIPT_COLUMN 32

#define LINE_SEPARATOR      0x2028
#define PARAGRAPH_SEPARATOR 0x2029

struct place {
    uint32_t line;  /* ends of lines before it */
    uint32_t begin; /* of its line */
};

/* The first end of a line at or behind the position is its own line's. */
static bool find_in_ends(struct lh_v8_walk *walk, uintptr_t ends, uint32_t position,
                         struct place *place)
{
    int32_t count = lh_v8_length(walk, ends);
    int32_t low = 0;
    int32_t high = count;
    if (lh_v8_type(walk, ends) != walk->layout->at.type_fixed_array || count <= 0)
        return false;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if ((uint32_t)lh_v8_smi(lh_v8_element(walk, ends, middle)) < position)
            low = middle + 1;
        else
            high = middle;
    }
    place->line = (uint32_t)low;
    place->begin = low > 0 ? (uint32_t)lh_v8_smi(lh_v8_element(walk, ends, low - 1)) + 1 : 0;
    return true;
}

/* The end of a line is \n, \r, both, or, where there are other letters than Latin ones, one of
 * Unicode's. */
static void count_unit(struct lh_v8_counted *counted, uint32_t unit)
{
    counted->position++;
    bool ends =
        unit == '\n' || unit == '\r' || unit == LINE_SEPARATOR || unit == PARAGRAPH_SEPARATOR;
    if (ends) {
        counted->line += unit != '\n' || counted->last != '\r';
        counted->begin = counted->position;
    }
    counted->last = unit;
}

/* Is one of the letters in a word this one? `ones` has a 1 in the place of each letter, `tops` the
 * highest bit of each. It may be said of a word that has none, never the other way. */
static bool has(uint64_t word, uint64_t letter, uint64_t ones, uint64_t tops)
{
    uint64_t zero = word ^ letter * ones;
    return ((zero - ones) & ~zero & tops) != 0;
}

static bool has_narrow_end(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101;
    return has(word, '\n', ones, ones << 7) || has(word, '\r', ones, ones << 7);
}

static bool has_wide_end(uint64_t word)
{
    const uint64_t ones = 0x0001000100010001;
    return has(word, '\n', ones, ones << 15) || has(word, '\r', ones, ones << 15) ||
           has(word, LINE_SEPARATOR, ones, ones << 15) ||
           has(word, PARAGRAPH_SEPARATOR, ones, ones << 15);
}

/* A word at a time, for it is most of what a walk does: in most words no line ends. */
static void count_narrow(struct lh_v8_counted *counted, const uint8_t *bytes, uint32_t count)
{
    uint64_t word;
    for (uint32_t i = 0; i < count;) {
        uint32_t part = count - i < sizeof(word) ? count - i : (uint32_t)sizeof(word);
        memcpy(&word, bytes + i, part);
        if (part == sizeof(word) && !has_narrow_end(word)) {
            counted->position += part;
            counted->last = bytes[i + part - 1];
        } else {
            for (uint32_t k = 0; k < part; k++)
                count_unit(counted, bytes[i + k]);
        }
        i += part;
    }
}

static void count_wide(struct lh_v8_counted *counted, const uint16_t *units, uint32_t count)
{
    uint64_t word;
    const uint32_t most = sizeof(word) / sizeof(*units);
    for (uint32_t i = 0; i < count;) {
        uint32_t part = count - i < most ? count - i : most;
        memcpy(&word, units + i, part * sizeof(*units));
        if (part == most && !has_wide_end(word)) {
            counted->position += part;
            counted->last = units[i + part - 1];
        } else {
            for (uint32_t k = 0; k < part; k++)
                count_unit(counted, units[i + k]);
        }
        i += part;
    }
}

/* How far that source has been counted in this walk. */
static struct lh_v8_counted *counted_of(struct lh_v8_walk *walk, uintptr_t source,
                                        uint32_t position)
{
    struct lh_v8_scratch *scratch = walk->scratch;
    for (uint32_t i = 0; i < LH_V8_COUNTED; i++)
        if (scratch->counted[i].source == source && scratch->counted[i].position <= position)
            return &scratch->counted[i];
    struct lh_v8_counted *fresh = &scratch->counted[scratch->counted_next++ % LH_V8_COUNTED];
    *fresh = (struct lh_v8_counted){.source = source};
    return fresh;
}

static bool count_lines(struct lh_v8_walk *walk, uintptr_t source, uint32_t position,
                        struct place *place)
{
    struct lh_v8_flat flat;
    if (!lh_v8_string_flat(walk, source, &flat) || position > flat.length)
        return false;
    struct lh_v8_counted *counted = counted_of(walk, source, position);
    uint32_t size = 1u + flat.is_wide;
    uint32_t room = sizeof(walk->scratch->source) / size;
    if ((uint64_t)(position - counted->position) * size > walk->source_left)
        return false; /* what is left serves others */
    while (counted->position < position) {
        uint32_t part = position - counted->position < room ? position - counted->position : room;
        if (!lh_v8_read_far(walk, walk->scratch->source,
                            flat.address + (uintptr_t)counted->position * size,
                            (size_t)part * size))
            return false;
        walk->source_left -= part * size;
        if (flat.is_wide)
            count_wide(counted, (const uint16_t *)walk->scratch->source, part);
        else
            count_narrow(counted, walk->scratch->source, part);
    }
    *place = (struct place){counted->line, counted->begin};
    return true;
}

/* Of the script's source in its file. */
static struct place begin_of(struct lh_v8_walk *walk, uintptr_t script)
{
    return (struct place){
        .line = (uint32_t)lh_v8_smi(lh_v8_field(walk, script, SCRIPT_LINE)),
        .begin = (uint32_t)lh_v8_smi(lh_v8_field(walk, script, SCRIPT_COLUMN)),
    };
}

bool lh_v8_line(struct lh_v8_walk *walk, uintptr_t script, uint32_t position, uint32_t *line,
                uint32_t *column)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    struct place place;
    if (!find_in_ends(walk, lh_v8_field(walk, script, at->script_line_ends), position, &place) &&
        !count_lines(walk, lh_v8_field(walk, script, at->script_source), position, &place))
        return false;
    struct place first = begin_of(walk, script);
    *line = place.line + 1 + first.line;
    *column = position - place.begin + 1 + (place.line == 0 ? first.begin : 0);
    return true;
}

void lh_v8_note_source(struct lh_v8_walk *walk, uintptr_t script, struct lh_js_frame *frame)
{
    uint16_t units[LH_JS_CHECKED];
    struct lh_v8_flat flat;
    struct place first = begin_of(walk, script);
    uintptr_t source = lh_v8_field(walk, script, walk->layout->at.script_source);
    if (first.line != 0 || first.begin != 0 || !lh_v8_string_flat(walk, source, &flat) ||
        frame->position > flat.length)
        return;
    uint32_t left = flat.length - frame->position;
    uint32_t count = left < LH_JS_CHECKED ? left : LH_JS_CHECKED;
    if (!lh_v8_flat_units(walk, &flat, frame->position, count, units))
        return;
    frame->source = flat.address;
    frame->source_length = flat.length;
    frame->source_check = lh_js_check(units, count);
    frame->is_wide = flat.is_wide;
}
