/* The sites at which a thread waits in poll or select. Runs on the program's threads; see turns.h.
 */
#include "preload/turns.h"

#include <stddef.h>

#define TURNS_OF_A_LOOP 3
#define LOOKS_AT_NEWS   32 /* later, what is new is looked at by chance only */

/* The site's row; a new site takes the row that has turned least. */
static struct lh_turns *row_of(struct lh_turns table[LH_TURN_SITES], uintptr_t site)
{
    struct lh_turns *least = &table[0];
    for (int i = 0; i < LH_TURN_SITES; i++) {
        if (table[i].site == site)
            return &table[i];
        if (table[i].turns < least->turns)
            least = &table[i];
    }
    *least = (struct lh_turns){.site = site};
    return least;
}

/* Can this wait be a park at all, by what was passed? */
static bool could_be_park(const struct lh_turns *row, const struct lh_wait *wait)
{
    bool both = row->looked && row->waited;
    return row->turns >= TURNS_OF_A_LOOP && (both || wait->fds == NULL || wait->count > 1);
}

static uint32_t shape_of(const struct lh_turns *row, const struct lh_wait *wait)
{
    return wait->count << 2 | (uint32_t)row->looked << 1 | (uint32_t)row->waited;
}

const struct lh_turns *lh_turns_note(struct lh_turns table[LH_TURN_SITES],
                                     const struct lh_wait *wait)
{
    if (wait->count == 0)
        return NULL; /* a way to sleep */
    struct lh_turns *row = row_of(table, wait->site);
    if (row->turns < UINT32_MAX)
        row->turns++;
    if (wait->looks)
        row->looked = true;
    else
        row->waited = true;
    if (!could_be_park(row, wait))
        return NULL;
    uint32_t shape = shape_of(row, wait);
    bool news = shape != row->shape && row->looks_taken < LOOKS_AT_NEWS;
    if (!news && (row->turns & (row->turns - 1)) != 0)
        return NULL;
    row->shape = shape;
    if (row->looks_taken < LOOKS_AT_NEWS)
        row->looks_taken++;
    return row;
}
