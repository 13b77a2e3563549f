/* SPDX-License-Identifier: Apache-2.0 */
/* Which units of the ring's memory are in use: a bit for each, in memory that is shared.
 *
 * Any thread, signal handlers too, on both sides; no locks. Whatever the bits say, nothing here
 * goes round for ever, or beyond them. */
#ifndef LH_COMMON_RING_ROOM_H
#define LH_COMMON_RING_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LH_ROOM_WORDS 253u
#define LH_ROOM_UNITS (LH_ROOM_WORDS * 64u)
#define LH_ROOM_NONE  UINT32_MAX

struct lh_room {
    _Atomic uint64_t used[LH_ROOM_WORDS];
};

/* The first of `count` free units in a row, which are the caller's from now on: the lowest ones, so
 * that memory that was used is used again. LH_ROOM_NONE: there are not so many. */
uint32_t lh_room_claim(struct lh_room *room, uint32_t count);

/* Gives back units of the caller's. What is beyond the last one is left out. */
void lh_room_release(struct lh_room *room, uint32_t first, uint32_t count);

/* How many units are in use, or stand so near to one that is that they may be as well. */
uint32_t lh_room_in_use(const struct lh_room *room);

#endif
