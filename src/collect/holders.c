/* The holders that were seen lately. See holders.h. */
#include "collect/holders.h"

#include <stdlib.h>
#include <string.h>

#include "collect/frames.h"

#define KEPT 64u

struct wait {
    uint64_t id; /* of the block; 0: of the stall that is told with `tid` and `turn` */
    uint32_t tid;
    uint64_t turn;
};

struct lh_holders {
    unsigned next; /* the row that is used next */
    struct {
        struct wait wait;
        struct lh_holder holder; /* tid 0: none */
    } rows[KEPT];
};

struct lh_holders *lh_holders_new(void)
{
    return calloc(1, sizeof(struct lh_holders));
}

void lh_holders_free(struct lh_holders *holders)
{
    if (holders == NULL)
        return;
    for (unsigned i = 0; i < KEPT; i++)
        free((void *)holders->rows[i].holder.frames);
    free(holders);
}

/* KEPT: there is none. */
static unsigned find(const struct lh_holders *holders, const struct wait *wait)
{
    unsigned i = 0;
    for (; i < KEPT; i++) {
        const struct wait *at = &holders->rows[i].wait;
        if (holders->rows[i].holder.tid != 0 && at->id == wait->id &&
            (wait->id != 0 || (at->tid == wait->tid && at->turn == wait->turn)))
            break;
    }
    return i;
}

void lh_holders_add(struct lh_holders *holders, const struct lh_record *record,
                    const struct lh_frame *frames, uint32_t frame_count)
{
    const struct wait wait = {record->id, record->held_tid, record->stall.turn};
    unsigned row = find(holders, &wait);
    const struct lh_frame *copy = lh_frames_copy(frames, frame_count);
    if (copy == NULL)
        return;
    if (row == KEPT)
        row = holders->next++ % KEPT;
    struct lh_holder *holder = &holders->rows[row].holder;
    free((void *)holder->frames);
    holders->rows[row].wait = wait;
    *holder = (struct lh_holder){.tid = record->tid,
                                 .deadlock = record->deadlock != 0,
                                 .running = record->computes != 0,
                                 .frames = copy,
                                 .frame_count = frame_count};
    memcpy(holder->thread, record->thread, sizeof(holder->thread));
}

const struct lh_holder *lh_holders_find(const struct lh_holders *holders,
                                        const struct lh_record *record)
{
    bool stall = record->type == LH_EVENT_STALL || record->type == LH_EVENT_STALLING;
    const struct wait wait = {stall ? 0 : record->id, record->tid, record->stall.turn};
    unsigned row = stall || record->id != 0 ? find(holders, &wait) : KEPT;
    return row < KEPT ? &holders->rows[row].holder : NULL;
}
