/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by the ids of lines. See report_ids.h. Ids are hashes of 64 bits: that those of two of
 * them are the same is no likelier than that they are. */
#include "cli/report_ids.h"

#include <stdlib.h>
#include <string.h>

#include "common/fnv.h"

#define SIZE_LEAST 256u

static uint64_t key_of(const char *id)
{
    uint64_t key = lh_fnv(LH_FNV_START, id, strlen(id));
    return key != 0 ? key : 1;
}

/* Where the key is, or is to be. There is always a free place. */
static uint32_t place_of(const struct lh_ids *ids, uint64_t key)
{
    uint32_t place = (uint32_t)(key ^ key >> 32) & (ids->size - 1);
    while (ids->keys[place] != 0 && ids->keys[place] != key)
        place = (place + 1) & (ids->size - 1);
    return place;
}

uint32_t lh_ids_find_key(const struct lh_ids *ids, uint64_t key)
{
    if (ids->size == 0)
        return LH_NO_NUMBER;
    uint32_t place = place_of(ids, key);
    return ids->keys[place] != 0 ? ids->numbers[place] : LH_NO_NUMBER;
}

uint32_t lh_ids_find(const struct lh_ids *ids, const char *id)
{
    return lh_ids_find_key(ids, key_of(id));
}

static bool grow(struct lh_ids *ids)
{
    struct lh_ids old = *ids;
    struct lh_ids wider = {.size = ids->size != 0 ? 2 * ids->size : SIZE_LEAST,
                           .count = ids->count};
    wider.keys = calloc(wider.size, sizeof(*wider.keys));
    wider.numbers = calloc(wider.size, sizeof(*wider.numbers));
    if (wider.keys == NULL || wider.numbers == NULL) {
        lh_ids_free(&wider);
        return false;
    }
    for (uint32_t i = 0; i < old.size; i++) {
        if (old.keys[i] == 0)
            continue;
        uint32_t place = place_of(&wider, old.keys[i]);
        wider.keys[place] = old.keys[i];
        wider.numbers[place] = old.numbers[i];
    }
    *ids = wider;
    lh_ids_free(&old);
    return true;
}

bool lh_ids_add_key(struct lh_ids *ids, uint64_t key, uint32_t number)
{
    if (ids->count >= ids->size / 4 * 3 && !grow(ids))
        return false;
    uint32_t place = place_of(ids, key);
    ids->count += ids->keys[place] == 0;
    ids->keys[place] = key;
    ids->numbers[place] = number;
    return true;
}

bool lh_ids_add(struct lh_ids *ids, const char *id, uint32_t number)
{
    return lh_ids_add_key(ids, key_of(id), number);
}

void lh_ids_free(struct lh_ids *ids)
{
    free(ids->keys);
    free(ids->numbers);
    *ids = (struct lh_ids){0};
}
