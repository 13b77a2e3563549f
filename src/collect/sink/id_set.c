/* SPDX-License-Identifier: Apache-2.0 */
/* Ids with a meaning: open addressing, at most half full. Runs on the threads of the rings. */
#include "collect/sink/id_set.h"

#include <stdlib.h>

#define LEAST_SLOTS 256u

/* Ids are hashes already. The slot that has it, or the free one where it belongs. */
static uint32_t slot_of(const struct lh_id_set *set, uint64_t id)
{
    uint32_t slot = (uint32_t)id & (set->size - 1);
    while (set->slots[slot].id != 0 && set->slots[slot].id != id)
        slot = (slot + 1) & (set->size - 1);
    return slot;
}

const struct lh_known *lh_id_set_find(const struct lh_id_set *set, uint64_t id)
{
    if (id == 0 || set->size == 0)
        return NULL;
    const struct lh_known *found = &set->slots[slot_of(set, id)];
    return found->id == id ? found : NULL;
}

static bool grow(struct lh_id_set *set)
{
    struct lh_id_set larger = {.size = set->size > 0 ? 2 * set->size : LEAST_SLOTS,
                               .count = set->count};
    larger.slots = calloc(larger.size, sizeof(larger.slots[0]));
    if (larger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < set->size; i++)
        if (set->slots[i].id != 0)
            larger.slots[slot_of(&larger, set->slots[i].id)] = set->slots[i];
    free(set->slots);
    *set = larger;
    return true;
}

void lh_id_set_add(struct lh_id_set *set, const struct lh_known *known)
{
    if (known->id == 0 || lh_id_set_find(set, known->id) != NULL)
        return;
    if (set->count >= LH_IDS_MAX)
        lh_id_set_clear(set);
    if (2 * (set->count + 1) > set->size && !grow(set))
        return;
    set->slots[slot_of(set, known->id)] = *known;
    set->count++;
}

void lh_id_set_add_all(struct lh_id_set *set, const struct lh_id_set *others)
{
    for (uint32_t i = 0; i < others->size; i++)
        lh_id_set_add(set, &others->slots[i]);
}

void lh_id_set_clear(struct lh_id_set *set)
{
    free(set->slots);
    *set = (struct lh_id_set){0};
}
