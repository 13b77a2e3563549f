/* SPDX-License-Identifier: Apache-2.0 */
/* Rulings by the ids of their reports. See rulings.h. */
#include "collect/report/rulings.h"

#include <stddef.h>
#include <stdlib.h>

#define ROOM_LEAST 64u
#define ROOM_MOST  (1u << 18)

/* The row of this id, or the free one where it would be. There is always one: half of them are. */
static struct lh_ruling *row_of(const struct lh_rulings *rulings, uint64_t id)
{
    uint32_t row = (uint32_t)(id * 0x9e3779b97f4a7c15ULL >> 32) & (rulings->room - 1);
    while (rulings->rows[row].id != 0 && rulings->rows[row].id != id)
        row = (row + 1) & (rulings->room - 1);
    return &rulings->rows[row];
}

static bool grow(struct lh_rulings *rulings)
{
    struct lh_rulings larger = {.room = rulings->room > 0 ? 2 * rulings->room : ROOM_LEAST,
                                .count = rulings->count};
    if (larger.room > ROOM_MOST)
        return false;
    larger.rows = calloc(larger.room, sizeof(*larger.rows));
    if (larger.rows == NULL)
        return false;
    for (uint32_t i = 0; i < rulings->room; i++)
        if (rulings->rows[i].id != 0)
            *row_of(&larger, rulings->rows[i].id) = rulings->rows[i];
    free(rulings->rows);
    *rulings = larger;
    return true;
}

void lh_rulings_free(struct lh_rulings *rulings)
{
    free(rulings->rows);
    *rulings = (struct lh_rulings){NULL, 0, 0};
}

void lh_rulings_add(struct lh_rulings *rulings, const struct lh_ruling *ruling)
{
    if (ruling->id == 0 || (2 * rulings->count >= rulings->room && !grow(rulings)))
        return;
    struct lh_ruling *row = row_of(rulings, ruling->id);
    rulings->count += row->id == 0;
    *row = *ruling;
}

const struct lh_ruling *lh_rulings_find(const struct lh_rulings *rulings, uint64_t id)
{
    if (rulings->room == 0 || id == 0)
        return NULL;
    const struct lh_ruling *row = row_of(rulings, id);
    return row->id == id ? row : NULL;
}
