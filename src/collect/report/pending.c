/* SPDX-License-Identifier: Apache-2.0 */
/* Reports held back, a queue. See pending.h. */
#include "collect/report/pending.h"

#include <stdlib.h>
#include <string.h>

#define REPORTS_MAX                                                                                \
    8u /* more would take the ring's room from the program: they count as unread                   \
        */

struct lh_pending {
    unsigned count;
    struct lh_pending_report reports[REPORTS_MAX]; /* oldest first */
};

struct lh_pending *lh_pending_new(void)
{
    return calloc(1, sizeof(struct lh_pending));
}

void lh_pending_free(struct lh_pending *pending)
{
    if (pending == NULL)
        return;
    for (unsigned i = 0; i < pending->count; i++)
        free(pending->reports[i].record);
    free(pending);
}

bool lh_pending_add(struct lh_pending *pending, const struct lh_record *record, uint64_t position,
                    int64_t now_ns)
{
    struct lh_record *copy = pending->count < REPORTS_MAX ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL)
        return false;
    memcpy(copy, record, sizeof(*copy));
    pending->reports[pending->count++] =
        (struct lh_pending_report){copy, position, now_ns + LH_PENDING_NS};
    return true;
}

struct lh_pending_report lh_pending_oldest(const struct lh_pending *pending)
{
    return pending->count > 0 ? pending->reports[0] : (struct lh_pending_report){NULL, 0, 0};
}

bool lh_pending_has_stall(const struct lh_pending *pending, uint32_t tid)
{
    for (unsigned i = 0; i < pending->count; i++)
        if (pending->reports[i].record->tid == tid &&
            pending->reports[i].record->type == LH_EVENT_STALL)
            return true;
    return false;
}

struct lh_pending_report lh_pending_take(struct lh_pending *pending, uint32_t tid)
{
    unsigned i = 0;
    while (i < pending->count && tid != 0 && pending->reports[i].record->tid != tid)
        i++;
    if (i == pending->count)
        return (struct lh_pending_report){NULL, 0, 0};
    struct lh_pending_report taken = pending->reports[i];
    pending->count--;
    memmove(&pending->reports[i], &pending->reports[i + 1],
            (pending->count - i) * sizeof(pending->reports[0]));
    return taken;
}
