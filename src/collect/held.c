/* Reports held back, a queue. See held.h. */
#include "collect/held.h"

#include <stdlib.h>
#include <string.h>

#define MOST 8u /* more would take the ring's room from the program: they count as unread */

struct lh_held {
    unsigned count;
    struct lh_held_report reports[MOST]; /* oldest first */
};

struct lh_held *lh_held_new(void)
{
    return calloc(1, sizeof(struct lh_held));
}

void lh_held_free(struct lh_held *held)
{
    if (held == NULL)
        return;
    for (unsigned i = 0; i < held->count; i++)
        free(held->reports[i].record);
    free(held);
}

bool lh_held_add(struct lh_held *held, const struct lh_record *record, uint64_t position,
                 int64_t now_ns)
{
    struct lh_record *copy = held->count < MOST ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL)
        return false;
    memcpy(copy, record, sizeof(*copy));
    held->reports[held->count++] = (struct lh_held_report){copy, position, now_ns + LH_HELD_NS};
    return true;
}

struct lh_held_report lh_held_oldest(const struct lh_held *held)
{
    return held->count > 0 ? held->reports[0] : (struct lh_held_report){NULL, 0, 0};
}

bool lh_held_has_stall(const struct lh_held *held, uint32_t tid)
{
    for (unsigned i = 0; i < held->count; i++)
        if (held->reports[i].record->tid == tid && held->reports[i].record->type == LH_EVENT_STALL)
            return true;
    return false;
}

struct lh_held_report lh_held_take(struct lh_held *held, uint32_t tid)
{
    unsigned i = 0;
    while (i < held->count && tid != 0 && held->reports[i].record->tid != tid)
        i++;
    if (i == held->count)
        return (struct lh_held_report){NULL, 0, 0};
    struct lh_held_report taken = held->reports[i];
    held->count--;
    memmove(&held->reports[i], &held->reports[i + 1], (held->count - i) * sizeof(held->reports[0]));
    return taken;
}
