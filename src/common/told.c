/* SPDX-License-Identifier: Apache-2.0 */
/* What is told in flight. See told.h.
 *
 * A word holds the id times two and the kind; 0 is free. An id stands at its own place or shortly
 * behind it: ids are given one after the other, so that few meet. */
#include "common/told.h"

#define PLACES 16u /* where an id may stand */

static uint32_t place(uint64_t id, uint32_t step)
{
    return (uint32_t)(id + step) % LH_RING_TOLD;
}

void lh_told_begin(struct lh_ring *ring, uint64_t id, enum lh_told_kind kind)
{
    for (uint32_t step = 0; step < PLACES; step++) {
        uint64_t free = 0;
        if (atomic_compare_exchange_strong(&ring->told[place(id, step)], &free,
                                           id << 1 | (uint64_t)kind))
            return;
    }
}

void lh_told_end(struct lh_ring *ring, uint64_t id)
{
    for (uint32_t step = 0; id != 0 && step < PLACES; step++) {
        _Atomic uint64_t *at = &ring->told[place(id, step)];
        uint64_t word = atomic_load(at);
        /* Another thread may end it, too, and a third one begin something there. */
        if (word >> 1 == id && atomic_compare_exchange_strong(at, &word, 0))
            return;
    }
}

bool lh_told_lasts(const struct lh_ring *ring, uint64_t id)
{
    for (uint32_t step = 0; id != 0 && step < PLACES; step++)
        if (atomic_load(&ring->told[place(id, step)]) >> 1 == id)
            return true;
    return false;
}

uint64_t lh_told_at(const struct lh_ring *ring, uint32_t index, enum lh_told_kind *kind)
{
    uint64_t word = atomic_load(&ring->told[index]);
    *kind = (word & 1) != 0 ? LH_TOLD_ITERATION : LH_TOLD_CALL;
    return word >> 1;
}
