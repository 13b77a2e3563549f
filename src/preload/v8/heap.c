/* SPDX-License-Identifier: Apache-2.0 */
/* V8's memory: see heap.h.
 *
 * Runs on the program's threads, in the sampling signal's handler and on the watchdog. No malloc,
 * no stdio, no locks. */
#include "preload/v8/heap.h"

#include <string.h>

#include "preload/sys/clock.h"

#define READS_A_LOOK 32 /* at the clock */

/* Two lines, of two pages, and where one cannot be read, a part of them. */
#define READS_AT_ONCE 3

bool lh_v8_is_spent(const struct lh_v8_walk *walk)
{
    return walk->reads_left == 0;
}

void lh_v8_heap_begin(struct lh_v8_walk *walk)
{
    struct lh_v8_scratch *scratch = walk->scratch;
    memset(scratch->maps, 0, sizeof(scratch->maps));
    memset(scratch->names, 0, sizeof(scratch->names));
    memset(scratch->placed, 0, sizeof(scratch->placed));
    memset(scratch->counted, 0, sizeof(scratch->counted));
    scratch->meta_map = 0;
    scratch->code_map = 0;
    walk->regexp = 0;
    walk->proof = (struct lh_v8_proof){0, 0};
}

/* A walk's reads take as long as the system calls of this machine: it ends by the clock, too. That
 * is looked at seldom, and the first time is the time from which it is counted. */
static bool is_late(struct lh_v8_walk *walk)
{
    int64_t now_ns = lh_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (walk->end_ns == 0)
        walk->end_ns = now_ns + LH_V8_WALK_NS;
    return now_ns >= walk->end_ns;
}

static void take_reads(struct lh_v8_walk *walk, uint32_t reads)
{
    uint32_t before = walk->reads_left / READS_A_LOOK;
    walk->reads_left -= reads < walk->reads_left ? reads : walk->reads_left;
    if (walk->reads_left < READS_AT_ONCE ||
        (walk->reads_left / READS_A_LOOK != before && is_late(walk)))
        walk->reads_left = 0;
}

void lh_v8_budget(struct lh_v8_walk *walk)
{
    walk->reads_left = LH_V8_READS_MAX;
    walk->end_ns = 0;
    take_reads(walk, lh_view_asked(walk->view));
    walk->table_left = LH_V8_TABLE_MAX;
    walk->source_left = LH_V8_SOURCE_MAX;
    walk->code_left = LH_V8_CODE_MAX;
}

bool lh_v8_read_far(struct lh_v8_walk *walk, void *to, uintptr_t address, size_t size)
{
    if (walk->reads_left == 0)
        return false;
    take_reads(walk, 1);
    return walk->view->read(to, address, size) == 0;
}

bool lh_v8_read(struct lh_v8_walk *walk, void *to, uintptr_t address, size_t size)
{
    if (walk->reads_left == 0)
        return false;
    const struct lh_view *view = walk->view;
    uint32_t before = lh_view_asked(view);
    bool could = lh_view_read(view, to, address, size) == 0;
    take_reads(walk, view->store != NULL ? lh_view_asked(view) - before : 1);
    return could;
}

bool lh_v8_spend(struct lh_v8_walk *walk, uint32_t bytes)
{
    bool has = walk->table_left >= bytes;
    walk->table_left = has ? walk->table_left - bytes : 0;
    return has;
}

void lh_v8_fetch(struct lh_v8_walk *walk)
{
    uint32_t before = lh_view_asked(walk->view);
    lh_view_fetch(walk->view);
    take_reads(walk, lh_view_asked(walk->view) - before);
}

void lh_v8_foresee(struct lh_v8_walk *walk, uintptr_t address)
{
    lh_view_want_page(walk->view, address);
    lh_v8_fetch(walk);
}

size_t lh_v8_read_some(struct lh_v8_walk *walk, void *to, uintptr_t address, size_t size)
{
    uint8_t *bytes = to;
    memset(to, 0, size);
    for (size_t done = 0; done < size;) {
        size_t left = LH_VIEW_LINE - (address + done) % LH_VIEW_LINE;
        size_t part = left < size - done ? left : size - done;
        if (!lh_v8_read(walk, bytes + done, address + done, part))
            return done;
        done += part;
    }
    return size;
}

uintptr_t lh_v8_word(struct lh_v8_walk *walk, uintptr_t address)
{
    uintptr_t value;
    return lh_v8_read(walk, &value, address, sizeof(value)) ? value : 0;
}

uintptr_t lh_v8_field(struct lh_v8_walk *walk, uintptr_t tagged, int64_t offset)
{
    return lh_v8_is_object(tagged) ? lh_v8_word(walk, tagged - 1 + (uintptr_t)offset) : 0;
}

uint32_t lh_v8_half(struct lh_v8_walk *walk, uintptr_t tagged, int64_t offset)
{
    uint32_t value;
    uintptr_t address = tagged - 1 + (uintptr_t)offset;
    return lh_v8_is_object(tagged) && lh_v8_read(walk, &value, address, sizeof(value)) ? value : 0;
}

uintptr_t lh_v8_element(struct lh_v8_walk *walk, uintptr_t tagged, int64_t index)
{
    return index >= 0 && index < INT32_MAX
               ? lh_v8_field(walk, tagged, LH_V8_ARRAY_HEADER + index * LH_V8_WORD)
               : 0;
}

int32_t lh_v8_length(struct lh_v8_walk *walk, uintptr_t tagged)
{
    uintptr_t length = lh_v8_field(walk, tagged, LH_V8_WORD);
    return lh_v8_is_smi(length) ? lh_v8_smi(length) : -1;
}

struct map {
    uintptr_t map;
    uint8_t sizes[4];
    uint16_t type;
};

static bool read_map(struct lh_v8_walk *walk, uintptr_t tagged, struct map *map)
{
    uint8_t bytes[16];
    if (!lh_v8_is_object(tagged) || !lh_v8_read(walk, bytes, tagged - 1, sizeof(bytes)))
        return false;
    memcpy(&map->map, bytes, sizeof(map->map));
    memcpy(&map->type, bytes + walk->layout->at.map_type, sizeof(map->type));
    return true;
}

static bool is_meta_map(struct lh_v8_walk *walk, uintptr_t tagged)
{
    struct map map;
    if (tagged != 0 && tagged == walk->scratch->meta_map)
        return true;
    if (!read_map(walk, tagged, &map) || map.type != walk->layout->at.type_map)
        return false;
    walk->scratch->meta_map = tagged;
    return true;
}

int32_t lh_v8_type_of_map(struct lh_v8_walk *walk, uintptr_t tagged)
{
    size_t slot = tagged / LH_V8_ARRAY_HEADER % LH_V8_MAPS;
    struct map map;
    if (tagged != 0 && walk->scratch->maps[slot].map == tagged)
        return walk->scratch->maps[slot].type;
    if (!read_map(walk, tagged, &map) || !is_meta_map(walk, map.map))
        return -1;
    walk->scratch->maps[slot].map = tagged;
    walk->scratch->maps[slot].type = map.type;
    return map.type;
}

int32_t lh_v8_type(struct lh_v8_walk *walk, uintptr_t tagged)
{
    return lh_v8_type_of_map(walk, lh_v8_field(walk, tagged, 0));
}

bool lh_v8_is_function(struct lh_v8_walk *walk, uintptr_t tagged)
{
    int32_t type = lh_v8_type(walk, tagged);
    const struct lh_v8_offsets *at = &walk->layout->at;
    return type >= at->type_function_first && type <= at->type_function_last;
}
