/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of records in shared memory.
 *
 * Runs on the program's threads, in signal handlers, in the watchdog and in the collector. No
 * malloc, no system calls, no locks.
 *
 * The word of a cell is, from its upper end: whose turn it is (40 bits), the first unit of the
 * record and how many units it has (of no meaning in a free cell). In lap n (position / cells) a
 * cell is free when its turn is 2n, and full when that is 2n + 1; the reader sets it to 2(n + 1),
 * which frees it for the next lap. So memory of zeroes is an empty queue, of which nothing has been
 * touched. A full cell without units: its record was lost.
 *
 * A place is claimed first, and then a cell. The reader frees the cell first, and then the place:
 * if it ends in between, that place is lost to the ring, but nobody writes to what may be read. */
#include "common/ring.h"

#include <stddef.h>
#include <string.h>

#define CELL(position) ((position) & (LH_RING_CELLS - 1))

#define UNITS_BITS 10u
#define FIRST_BITS 14u
#define PLACE_BITS (FIRST_BITS + UNITS_BITS)
#define UNITS_MAX  ((1u << UNITS_BITS) - 1)
#define FULL       (1ULL << PLACE_BITS)

_Static_assert(LH_RING_PLACE + 1 == FULL && LH_ROOM_UNITS <= 1u << FIRST_BITS &&
                   sizeof(struct lh_record) <= UNITS_MAX * (size_t)LH_RING_UNIT,
               "a cell can say where a record is");

/* As long as a record is among the first of the ring, packing it is not worth the time. */
#define AMPLE_UNITS 1024u

/* The ring is shared: whatever it says, a writer does not go round for ever. */
#define TRIES_MAX 1000

/* Where a record is. */
struct place {
    uint32_t first;
    uint32_t units;
};

/* How much there is of what it has at its end. */
struct lengths {
    uint32_t tags; /* bytes … */
    uint32_t python_count;
    uint32_t js_count;
    uint32_t strings;
    uint32_t stack;
};

/* Where that is, in bytes from its begin. */
struct parts {
    size_t python;
    size_t js;
    size_t strings;
    size_t stack;
    size_t end;
};

void lh_ring_init(struct lh_ring *ring, uint32_t pid, const struct lh_options *options)
{
    ring->bytes = sizeof(*ring);
    ring->pid = pid;
    ring->call_count = lh_call_count();
    ring->options = *options;
    ring->magic = LH_RING_MAGIC;
}

/* What a record always has: up to the text of its tags. */
#define FIXED (offsetof(struct lh_record, tags) + offsetof(struct lh_tags, text))

/* ---- cells ---- */

/* How many halves of a lap a cell is ahead of being free for this position; 1: it is full. */
static int64_t ahead(uint64_t cell, uint64_t position)
{
    uint64_t turns = (cell >> PLACE_BITS) - (lh_ring_free_cell(position) >> PLACE_BITS);
    return (int64_t)(turns << PLACE_BITS) >> PLACE_BITS;
}

static uint64_t full_cell(uint64_t position, struct place place)
{
    return lh_ring_free_cell(position) | FULL | (uint64_t)place.first << UNITS_BITS | place.units;
}

static struct place place_of(uint64_t cell)
{
    struct place place = {(uint32_t)(cell >> UNITS_BITS) & ((1u << FIRST_BITS) - 1),
                          (uint32_t)cell & UNITS_MAX};
    if (place.first >= LH_ROOM_UNITS || place.units > LH_ROOM_UNITS - place.first)
        place = (struct place){0, 0};
    return place;
}

static struct lh_record *record_at(struct lh_ring *ring, uint32_t first)
{
    return (struct lh_record *)(ring->records + (size_t)first * LH_RING_UNIT);
}

/* Each is read once: who shares the ring may change it meanwhile. */
static struct lengths lengths_of(const struct lh_record *record)
{
    return (struct lengths){record->tags.length, record->python_count, record->js_count,
                            record->strings_length, record->stack_length};
}

static uint32_t units_for(size_t bytes)
{
    return (uint32_t)((bytes + LH_RING_UNIT - 1) / LH_RING_UNIT);
}

/* ---- writers ---- */

/* False: the queue is full. */
static bool take_position(struct lh_ring *ring, uint64_t *taken)
{
    uint64_t position = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        uint64_t cell = atomic_load_explicit(&ring->cells[CELL(position)], memory_order_acquire);
        int64_t by = ahead(cell, position);
        if (by < 0)
            return false;
        if (by > 0) {
            position = atomic_load_explicit(&ring->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&ring->head, &position, position + 1,
                                                         memory_order_relaxed,
                                                         memory_order_relaxed)) {
            *taken = position;
            return true;
        }
    }
    return false;
}

struct lh_record *lh_ring_reserve(struct lh_ring *ring, uint32_t stack_bytes)
{
    uint32_t most = stack_bytes < LH_STACK_BYTES ? stack_bytes : LH_STACK_BYTES;
    uint32_t units = units_for(offsetof(struct lh_record, stack) + most);
    uint32_t first = lh_room_claim(&ring->room, units);
    uint64_t position;
    if (first == LH_ROOM_NONE)
        return NULL;
    if (!take_position(ring, &position)) {
        lh_room_release(&ring->room, first, units);
        return NULL;
    }
    struct lh_record *record = record_at(ring, first);
    record->position = position;
    record->units = units;
    record->ring = ring->number;
    record->tags.length = 0;
    record->python_count = 0;
    record->js_count = 0;
    record->strings_length = 0;
    record->stack_length = 0;
    return record;
}

static size_t even(uint32_t bytes)
{
    return (bytes + 7u) / 8 * 8;
}

/* False: these lengths are none of a record's. */
static bool find_parts(struct parts *parts, const struct lengths *lengths, bool packed)
{
    if (lengths->tags > LH_TAGS_BYTES || lengths->python_count > LH_PYTHON_FRAMES ||
        lengths->js_count > LH_JS_FRAMES || lengths->strings > LH_STRING_BYTES ||
        lengths->stack > LH_STACK_BYTES)
        return false;
    parts->python = offsetof(struct lh_record, python);
    parts->js = offsetof(struct lh_record, js);
    parts->strings = offsetof(struct lh_record, strings);
    parts->stack = offsetof(struct lh_record, stack);
    if (packed) {
        parts->python = FIXED + even(lengths->tags);
        parts->js = parts->python + lengths->python_count * sizeof(struct lh_python_frame);
        parts->strings = parts->js + lengths->js_count * sizeof(struct lh_js_frame);
        parts->stack = parts->strings + even(lengths->strings);
    }
    parts->end = parts->stack + lengths->stack;
    return true;
}

/* Moves together what is used, where room is short. Returns how many units that is. */
static uint32_t pack(struct lh_record *record, uint32_t units, bool packed)
{
    struct parts parts;
    struct lengths lengths = lengths_of(record);
    if (!find_parts(&parts, &lengths, packed) ||
        offsetof(struct lh_record, stack) + lengths.stack > (size_t)units * LH_RING_UNIT)
        return units; /* the program has written to it: for the reader to refuse */
    record->packed = packed;
    if (packed) {
        memmove((char *)record + parts.python, record->python,
                lengths.python_count * sizeof(record->python[0]));
        memmove((char *)record + parts.js, record->js, lengths.js_count * sizeof(record->js[0]));
        memmove((char *)record + parts.strings, record->strings, lengths.strings);
        memmove((char *)record + parts.stack, record->stack, lengths.stack);
    }
    return units_for(parts.end);
}

/* Its position and its place are those of a ring that this one has taken over from, and nobody's
 * here: it was counted. */
static bool was_left_behind(const struct lh_ring *ring, const struct lh_record *record)
{
    return record->ring != ring->number && record->position >= ring->first;
}

void lh_ring_commit(struct lh_ring *ring, struct lh_record *record)
{
    uint64_t position = record->position;
    if (was_left_behind(ring, record))
        return;
    uint32_t claimed = record->units;
    uint32_t first = (uint32_t)(((uint8_t *)record - ring->records) / LH_RING_UNIT);
    uint32_t most = LH_ROOM_UNITS - first < UNITS_MAX ? LH_ROOM_UNITS - first : UNITS_MAX;
    if (claimed > most)
        claimed = most; /* as above */
    const struct place place = {first, pack(record, claimed, first >= AMPLE_UNITS)};
    _Atomic uint64_t *cell = &ring->cells[CELL(position)];
    uint64_t now = atomic_load_explicit(cell, memory_order_relaxed);
    lh_room_release(&ring->room, first + place.units, claimed - place.units);
    if (ahead(now, position) != 0 ||
        !atomic_compare_exchange_strong_explicit(cell, &now, full_cell(position, place),
                                                 memory_order_release, memory_order_relaxed))
        lh_room_release(&ring->room, first, place.units); /* counted: lh_ring_take_over() */
    atomic_fetch_add(&ring->wake, 1); /* before the caller looks whether the reader sleeps */
}

/* ---- the reader ---- */

static bool copy_record(struct lh_record *to, const uint8_t *from, size_t most)
{
    struct parts parts;
    if (most < FIXED)
        return false;
    memcpy(to, from, FIXED);
    struct lengths lengths = lengths_of(to);
    if (!find_parts(&parts, &lengths, to->packed != 0) || parts.end > most)
        return false;
    memcpy(to->tags.text, from + FIXED, lengths.tags);
    memcpy(to->python, from + parts.python, lengths.python_count * sizeof(to->python[0]));
    memcpy(to->js, from + parts.js, lengths.js_count * sizeof(to->js[0]));
    memcpy(to->strings, from + parts.strings, lengths.strings);
    memcpy(to->stack, from + parts.stack, lengths.stack);
    return true;
}

static void free_record(struct lh_ring *ring, uint64_t position, struct place place)
{
    atomic_store_explicit(&ring->cells[CELL(position)], lh_ring_free_cell(position + LH_RING_CELLS),
                          memory_order_release);
    lh_room_release(&ring->room, place.first, place.units);
}

bool lh_ring_take(struct lh_ring *ring, uint64_t *position, struct lh_record *copy)
{
    uint64_t cell = atomic_load_explicit(&ring->cells[CELL(*position)], memory_order_acquire);
    struct place place = place_of(cell);
    if (ahead(cell, *position) != 1)
        return false;
    bool is_lost = (cell & UNITS_MAX) == 0;
    if (is_lost || !copy_record(copy, ring->records + (size_t)place.first * LH_RING_UNIT,
                                (size_t)place.units * LH_RING_UNIT)) {
        memset(copy, 0, offsetof(struct lh_record, python));
        copy->type = is_lost ? LH_EVENT_LOST : LH_EVENT_COUNT;
    }
    free_record(ring, *position, place);
    *position += 1;
    return true;
}

uint64_t lh_ring_resume(const struct lh_ring *ring)
{
    uint64_t head = atomic_load(&ring->head);
    uint64_t position = head > LH_RING_CELLS ? head - LH_RING_CELLS : 0;
    while (position < head && ahead(atomic_load(&ring->cells[CELL(position)]), position) == 2)
        position++;
    return position;
}

/* `written` first: it is never beyond a head that is read after it. */
static uint32_t cells_in_use(const struct lh_ring *ring)
{
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    return (uint32_t)atomic_load_explicit(&ring->head, memory_order_relaxed) - written;
}

bool lh_ring_has_room(const struct lh_ring *ring)
{
    return cells_in_use(ring) < LH_RING_CELLS / 2 &&
           lh_room_in_use(&ring->room) < LH_ROOM_UNITS / 2;
}

/* What is left is room for two records of the usual size at most, one after the other. */
bool lh_ring_has_spare(const struct lh_ring *ring)
{
    return cells_in_use(ring) < LH_RING_CELLS / 64 * 63 &&
           lh_room_in_use(&ring->room) < LH_ROOM_UNITS / 64 * 63;
}

bool lh_ring_is_calm(const struct lh_ring *ring)
{
    return cells_in_use(ring) < LH_RING_CALM;
}

static bool can_be_forgotten(uint32_t type)
{
    return type == LH_EVENT_SAMPLE || type == LH_EVENT_HOLDER || type == LH_EVENT_AWAITED;
}

void lh_ring_forget_samples(struct lh_ring *ring)
{
    for (uint64_t position = lh_ring_resume(ring);; position++) {
        uint64_t cell = atomic_load_explicit(&ring->cells[CELL(position)], memory_order_acquire);
        struct place place = place_of(cell);
        if (ahead(cell, position) != 1 || place.units == 0 ||
            !can_be_forgotten(record_at(ring, place.first)->type))
            return;
        atomic_store(&ring->written, (uint32_t)position + 1);
        free_record(ring, position, place);
    }
}

/* ---- another ring in its place ---- */

static void take_over_cell(struct lh_ring *ring, struct lh_ring *old, uint64_t index)
{
    uint64_t cell = atomic_load(&old->cells[index]);
    struct place place = place_of(cell);
    if (cell != 0)
        atomic_store(&ring->cells[index], cell);
    if ((cell & FULL) != 0)
        memcpy(record_at(ring, place.first), record_at(old, place.first),
               (size_t)place.units * LH_RING_UNIT);
}

/* Also what writers have claimed that are at work: they will give it back here. */
static void take_over_room(struct lh_ring *ring, struct lh_ring *old)
{
    for (uint32_t word = 0; word < LH_ROOM_WORDS; word++) {
        uint64_t used = atomic_load(&old->room.used[word]);
        if (used != 0)
            atomic_store(&ring->room.used[word], used);
    }
}

void lh_ring_take_over(struct lh_ring *ring, struct lh_ring *old, struct lh_ring_copied *copied)
{
    memcpy(ring, old, offsetof(struct lh_ring, cells));
    copied->totals = ring->totals;
    for (uint64_t i = 0; i < LH_RING_CELLS; i++)
        take_over_cell(ring, old, i);
    /* Read last: it is beyond all that was copied. */
    copied->head = atomic_load(&old->head);
    atomic_store(&ring->head, copied->head);
    ring->first = copied->head;
    ring->number = old->number + 1;
    take_over_room(ring, old);
    for (uint64_t position = lh_ring_resume(ring); position < copied->head; position++)
        if (ahead(atomic_load(&ring->cells[CELL(position)]), position) == 0) {
            atomic_fetch_add(&ring->totals.dropped, 1);
            atomic_store(&ring->cells[CELL(position)], full_cell(position, (struct place){0, 0}));
        }
}

static void add_since(_Atomic uint64_t *to, const _Atomic uint64_t *now,
                      const _Atomic uint64_t *copied)
{
    uint64_t added = atomic_load(now) - atomic_load(copied);
    if (added != 0)
        atomic_fetch_add(to, added);
}

/* Nothing is left to a reader that still has it. */
static void empty(struct lh_ring *ring)
{
    for (uint64_t i = 0; i < LH_RING_CELLS; i++) {
        uint64_t cell = atomic_load(&ring->cells[i]);
        if ((cell & FULL) != 0)
            atomic_store(&ring->cells[i], (cell & ~(FULL - 1)) + FULL);
    }
}

void lh_ring_settle(struct lh_ring *ring, struct lh_ring *old, const struct lh_ring_copied *copied)
{
    const struct lh_totals *now = &old->totals;
    const struct lh_totals *then = &copied->totals;
    struct lh_totals *to = &ring->totals;
    atomic_fetch_add(&to->dropped, atomic_load(&old->head) - copied->head);
    add_since(&to->loops, &now->loops, &then->loops);
    add_since(&to->blocks, &now->blocks, &then->blocks);
    add_since(&to->stalls, &now->stalls, &then->stalls);
    add_since(&to->stalled_ns, &now->stalled_ns, &then->stalled_ns);
    add_since(&to->dropped, &now->dropped, &then->dropped);
    add_since(&to->blocked_ns, &now->blocked_ns, &then->blocked_ns);
    for (uint32_t i = 0; i < LH_NOISE_COUNT; i++)
        add_since(&to->quiet[i], &now->quiet[i], &then->quiet[i]);
    for (uint32_t i = 0; i < LH_CALLS_MAX; i++) {
        add_since(&to->by_call[i].count, &now->by_call[i].count, &then->by_call[i].count);
        add_since(&to->by_call[i].total_ns, &now->by_call[i].total_ns, &then->by_call[i].total_ns);
    }
    empty(old);
}
