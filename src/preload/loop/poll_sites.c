/* SPDX-License-Identifier: Apache-2.0 */
/* The sites at which a thread waits in poll or select. Runs on the program's threads; see
 * poll_sites.h.
 */
#include "preload/loop/poll_sites.h"

#include <stddef.h>

#include "preload/loop/origin.h"

#define WAITS_OF_A_LOOP 3
#define LOOKS_AT_NEWS   32 /* later, what is new is looked at by chance only */

/* The site's row; a new site takes the row that has turned least. */
static struct lh_poll_site *row_of(struct lh_poll_site table[LH_POLL_SITES], uintptr_t site)
{
    struct lh_poll_site *least = &table[0];
    for (int i = 0; i < LH_POLL_SITES; i++) {
        if (table[i].site == site)
            return &table[i];
        if (table[i].waits < least->waits)
            least = &table[i];
    }
    *least = (struct lh_poll_site){.site = site};
    return least;
}

/* Can this wait be a park at all, by what was passed? */
static bool could_be_park(const struct lh_poll_site *row, const struct lh_poll_wait *wait)
{
    bool both = row->looked && row->waited;
    if (row->origin != LH_ORIGIN_ANY)
        return row->origin == LH_ORIGIN_LOOP;
    return row->waits >= WAITS_OF_A_LOOP && (both || wait->fds == NULL || wait->count > 1);
}

static uint32_t shape_of(const struct lh_poll_site *row, const struct lh_poll_wait *wait)
{
    return wait->count << 2 | (uint32_t)row->looked << 1 | (uint32_t)row->waited;
}

const struct lh_poll_site *lh_poll_sites_note(struct lh_poll_site table[LH_POLL_SITES],
                                              const struct lh_poll_wait *wait)
{
    if (wait->count == 0)
        return NULL; /* a way to sleep */
    struct lh_poll_site *row = row_of(table, wait->site);
    if (row->origin == LH_ORIGIN_UNKNOWN)
        row->origin = lh_origin_of(wait->site);
    if (row->waits < UINT32_MAX)
        row->waits++;
    if (wait->looks)
        row->looked = true;
    else
        row->waited = true;
    if (!could_be_park(row, wait))
        return NULL;
    uint32_t shape = shape_of(row, wait);
    bool news = shape != row->shape && row->looks_taken < LOOKS_AT_NEWS;
    if (!news && (row->waits & (row->waits - 1)) != 0)
        return NULL;
    row->shape = shape;
    if (row->looks_taken < LOOKS_AT_NEWS)
        row->looks_taken++;
    return row;
}
