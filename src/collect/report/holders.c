/* SPDX-License-Identifier: Apache-2.0 */
/* The holders that were seen lately. See holders.h. */
#include "collect/report/holders.h"

#include <stdlib.h>
#include <string.h>

#include "collect/report/frames.h"
#include "collect/stack/frame_kind.h"

#define KEPT 64u

struct wait {
    uint64_t id; /* of the block; 0: of the stall that is told with `tid` and `iteration_id` */
    uint32_t tid;
    uint64_t iteration_id;
};

struct lh_holders {
    unsigned next; /* the row that is used next */
    struct {
        struct wait wait;
        struct lh_holder holder;       /* tid 0: none */
        struct lh_waits_for waits_for; /* kind LH_AWAITED_NONE: nothing of the kind is known */
        struct lh_frame *places;       /* of its candidates, or of the task that has it */
        char *coroutine;
        char *task; /* … whose names these are */
        char *task_coroutine;
    } rows[KEPT];
};

struct lh_holders *lh_holders_new(void)
{
    return calloc(1, sizeof(struct lh_holders));
}

static void forget_awaited(struct lh_holders *holders, unsigned row)
{
    free(holders->rows[row].places);
    free(holders->rows[row].coroutine);
    free(holders->rows[row].task);
    free(holders->rows[row].task_coroutine);
    holders->rows[row].places = NULL;
    holders->rows[row].coroutine = NULL;
    holders->rows[row].task = NULL;
    holders->rows[row].task_coroutine = NULL;
    holders->rows[row].waits_for = (struct lh_waits_for){.kind = LH_AWAITED_NONE};
}

static void empty(struct lh_holders *holders, unsigned row)
{
    forget_awaited(holders, row);
    free((void *)holders->rows[row].holder.frames);
    holders->rows[row].holder = (struct lh_holder){0};
    holders->rows[row].wait = (struct wait){0};
}

void lh_holders_free(struct lh_holders *holders)
{
    if (holders == NULL)
        return;
    for (unsigned i = 0; i < KEPT; i++)
        empty(holders, i);
    free(holders);
}

/* KEPT: there is none. */
static unsigned find(const struct lh_holders *holders, const struct wait *wait)
{
    unsigned i = 0;
    for (; i < KEPT; i++) {
        const struct wait *at = &holders->rows[i].wait;
        bool used = at->id != 0 || at->tid != 0;
        if (used && at->id == wait->id &&
            (wait->id != 0 || (at->tid == wait->tid && at->iteration_id == wait->iteration_id)))
            break;
    }
    return i;
}

static unsigned find_or_make(struct lh_holders *holders, const struct lh_record *record)
{
    const struct wait wait = {record->id, record->waiter_tid, record->stall.iteration_id};
    unsigned row = find(holders, &wait);
    if (row < KEPT)
        return row;
    row = holders->next++ % KEPT;
    empty(holders, row);
    holders->rows[row].wait = wait;
    return row;
}

void lh_holders_add(struct lh_holders *holders, const struct lh_record *record,
                    const struct lh_frame *frames, uint32_t frame_count)
{
    const struct lh_frame *copy = lh_frames_copy(frames, frame_count);
    if (copy == NULL)
        return;
    struct lh_holder *holder = &holders->rows[find_or_make(holders, record)].holder;
    free((void *)holder->frames);
    *holder = (struct lh_holder){.tid = record->tid,
                                 .deadlock = record->deadlock != 0,
                                 .running = record->computes != 0,
                                 .frames = copy,
                                 .frame_count = frame_count};
    memcpy(holder->thread, record->thread, sizeof(holder->thread));
}

static unsigned row_of(const struct lh_holders *holders, const struct lh_record *record)
{
    bool stall = record->type == LH_EVENT_STALL || record->type == LH_EVENT_STALLING;
    const struct wait wait = {stall ? 0 : record->id, record->tid, record->stall.iteration_id};
    return stall || record->id != 0 ? find(holders, &wait) : KEPT;
}

const struct lh_holder *lh_holders_find(const struct lh_holders *holders,
                                        const struct lh_record *record)
{
    unsigned row = row_of(holders, record);
    return row < KEPT && holders->rows[row].holder.tid != 0 ? &holders->rows[row].holder : NULL;
}

const struct lh_waits_for *lh_holders_find_awaited(const struct lh_holders *holders,
                                                   const struct lh_record *record)
{
    unsigned row = row_of(holders, record);
    return row < KEPT && holders->rows[row].waits_for.kind != LH_AWAITED_NONE
               ? &holders->rows[row].waits_for
               : NULL;
}

/* Those of the candidates that are somewhere in the user's code, and where. */
static void choose(struct lh_waits_for *waits_for, const struct lh_awaited *awaited,
                   const struct lh_frame *frames, struct lh_frame places[LH_CANDIDATES_SHOWN])
{
    for (uint32_t i = 0; i < awaited->candidate_count; i++) {
        const struct lh_candidate *from = &awaited->candidates[i];
        uint32_t user = lh_first_of_user(frames, from->python_count);
        if (user < from->python_count && waits_for->candidate_count < LH_CANDIDATES_SHOWN) {
            struct lh_shown_candidate *to = &waits_for->candidates[waits_for->candidate_count];
            places[waits_for->candidate_count++] = frames[user];
            to->tid = from->tid;
            to->within = from->within != 0;
            to->names = from->names != 0;
            to->deadlock = from->deadlock != 0;
            memcpy(to->thread, from->thread, sizeof(to->thread));
        }
        frames += from->python_count;
    }
}

/* NULL: there is none, or no memory. */
static char *copy_name(const struct lh_record *record, bool has_it, uint16_t name)
{
    return has_it ? strdup(record->strings + name) : NULL;
}

void lh_holders_add_awaited(struct lh_holders *holders, const struct lh_record *record,
                            const struct lh_frame *frames)
{
    const struct lh_awaited *awaited = &record->awaited;
    struct lh_frame places[LH_CANDIDATES_SHOWN];
    struct lh_waits_for waits_for = {.kind = (enum lh_awaited_kind)awaited->kind,
                                     .is_own = awaited->is_own != 0,
                                     .for_ever = awaited->for_ever != 0,
                                     .address = awaited->address};
    choose(&waits_for, awaited, frames, places);
    uint32_t place_count = waits_for.candidate_count;
    if (awaited->is_suspended && place_count == 0)
        places[place_count++] = frames[0];
    for (uint32_t i = 0; i < place_count; i++) {
        places[i].user = true;
        places[i].cut = LH_CUT_NONE;
    }
    unsigned row = find_or_make(holders, record);
    forget_awaited(holders, row);
    holders->rows[row].places = lh_frames_copy(places, place_count);
    if (holders->rows[row].places == NULL)
        return;
    holders->rows[row].coroutine = copy_name(record, awaited->has_coroutine, awaited->coroutine);
    waits_for.coroutine = holders->rows[row].coroutine;
    if (place_count > waits_for.candidate_count) {
        const struct lh_python_task *task = &record->task;
        holders->rows[row].task = copy_name(record, task->has_name, task->name);
        holders->rows[row].task_coroutine = copy_name(record, task->has_coroutine, task->coroutine);
        waits_for.suspended =
            (struct lh_suspended){holders->rows[row].task, holders->rows[row].task_coroutine,
                                  &holders->rows[row].places[0]};
    }
    for (uint32_t i = 0; i < waits_for.candidate_count; i++)
        waits_for.candidates[i].frame = &holders->rows[row].places[i];
    holders->rows[row].waits_for = waits_for;
}
