/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the ring's memory. See ring_room.h. */
#include "common/ring_room.h"

#define WORD_BITS 64u

/* Others may take each time what was found. */
#define TRIES_MAX 1000

/* The bits of one word that stand for units in [first, end). */
static uint64_t mask_of(uint32_t word, uint32_t first, uint32_t end)
{
    uint32_t start = word * WORD_BITS;
    uint32_t from = first > start ? first - start : 0;
    uint32_t to = end < start + WORD_BITS ? end - start : WORD_BITS;
    uint64_t below = to == WORD_BITS ? UINT64_MAX : (1ULL << to) - 1;
    return below & (UINT64_MAX << from);
}

/* Zeroes at the low end, of at most `left` bits. */
static uint32_t zeroes(uint64_t bits, uint32_t left)
{
    uint32_t count = bits != 0 ? (uint32_t)__builtin_ctzll(bits) : left;
    return count < left ? count : left;
}

/* Goes through one word; *run is how many free units end where that begins, and then where it ends.
 * True: they have become `count`, and *at is where they end. */
static bool look_in(uint64_t used, uint32_t count, uint32_t *run, uint32_t *at)
{
    for (uint32_t bit = 0; bit < WORD_BITS;) {
        uint32_t free = zeroes(used >> bit, WORD_BITS - bit);
        *run += free;
        bit += free;
        *at = bit;
        if (*run >= count)
            return true;
        if (bit == WORD_BITS)
            return false;
        bit += zeroes(~(used >> bit), WORD_BITS - bit);
        *run = 0;
    }
    return false;
}

static uint32_t find(const struct lh_room *room, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t word = 0; word < LH_ROOM_WORDS; word++) {
        uint32_t at;
        uint64_t used = atomic_load_explicit(&room->used[word], memory_order_relaxed);
        if (look_in(used, count, &run, &at))
            return word * WORD_BITS + at - run;
    }
    return LH_ROOM_NONE;
}

static bool take_bits(_Atomic uint64_t *word, uint64_t mask)
{
    uint64_t used = atomic_load_explicit(word, memory_order_relaxed);
    for (int tries = 0; tries < TRIES_MAX && (used & mask) == 0; tries++)
        if (atomic_compare_exchange_weak_explicit(word, &used, used | mask, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* All of [first, end), or none of it. */
static bool take_run(struct lh_room *room, uint32_t first, uint32_t end)
{
    for (uint32_t word = first / WORD_BITS; word * WORD_BITS < end; word++)
        if (!take_bits(&room->used[word], mask_of(word, first, end))) {
            if (word * WORD_BITS > first)
                lh_room_release(room, first, word * WORD_BITS - first);
            return false;
        }
    return true;
}

uint32_t lh_room_claim(struct lh_room *room, uint32_t count)
{
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        uint32_t first = find(room, count);
        if (first == LH_ROOM_NONE || take_run(room, first, first + count))
            return first;
    }
    return LH_ROOM_NONE;
}

void lh_room_release(struct lh_room *room, uint32_t first, uint32_t count)
{
    uint32_t end = count < LH_ROOM_UNITS - first ? first + count : LH_ROOM_UNITS;
    if (first >= LH_ROOM_UNITS || count == 0)
        return;
    for (uint32_t word = first / WORD_BITS; word * WORD_BITS < end; word++)
        atomic_fetch_and_explicit(&room->used[word], ~mask_of(word, first, end),
                                  memory_order_release);
}

uint32_t lh_room_in_use(const struct lh_room *room)
{
    uint32_t words = 0;
    for (uint32_t word = 0; word < LH_ROOM_WORDS; word++)
        words += atomic_load_explicit(&room->used[word], memory_order_relaxed) != 0;
    return words * WORD_BITS;
}
