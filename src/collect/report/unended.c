/* SPDX-License-Identifier: Apache-2.0 */
/* What has not ended yet. See unended.h. */
#include "collect/report/unended.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "collect/report/frames.h"
#include "common/told.h"

#define KEPT      LH_RING_TOLD /* no program has more of them at once */
#define BYTES_MAX (16u << 20)  /* of all; the others are counted only */

struct lh_unended_list {
    struct lh_unended *rows;
    uint32_t count;
    size_t bytes;
};

struct lh_unended_list *lh_unended_new(void)
{
    struct lh_unended_list *list = calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    list->rows = calloc(KEPT, sizeof(*list->rows));
    if (list->rows != NULL)
        return list;
    free(list);
    return NULL;
}

static size_t bytes_of(const struct lh_frame *frames, uint32_t frame_count)
{
    return offsetof(struct lh_record, stack) + lh_frames_bytes(frames, frame_count);
}

static void forget(struct lh_unended_list *list, uint32_t row)
{
    list->bytes -= bytes_of(list->rows[row].frames, list->rows[row].frame_count);
    free(list->rows[row].record);
    free(list->rows[row].frames);
    list->rows[row] = list->rows[--list->count];
}

void lh_unended_free(struct lh_unended_list *list)
{
    if (list == NULL)
        return;
    while (list->count > 0)
        forget(list, list->count - 1);
    free(list->rows);
    free(list);
}

/* list->count: there is none. */
static uint32_t find(const struct lh_unended_list *list, uint64_t id)
{
    uint32_t row = 0;
    while (row < list->count && list->rows[row].record->id != id)
        row++;
    return row;
}

static bool fill(struct lh_unended *row, const struct lh_record *record,
                 const struct lh_frame *frames, uint32_t frame_count)
{
    void *without_stack = malloc(offsetof(struct lh_record, stack));
    row->record = without_stack; /* gcc 14 would have it whole */
    row->frames = lh_frames_copy(frames, frame_count);
    row->frame_count = frame_count;
    row->told = false;
    if (row->record == NULL || row->frames == NULL) {
        free(row->record);
        free(row->frames);
        return false;
    }
    memcpy(row->record, record, offsetof(struct lh_record, stack));
    row->record->stack_length = 0;
    return true;
}

void lh_unended_put(struct lh_unended_list *list, const struct lh_ring *ring,
                    const struct lh_record *record, const struct lh_frame *frames,
                    uint32_t frame_count)
{
    uint32_t row = find(list, record->id);
    if (row < list->count)
        forget(list, row);
    for (row = list->count; row > 0; row--)
        if (!lh_told_lasts(ring, list->rows[row - 1].record->id))
            forget(list, row - 1);
    size_t bytes = bytes_of(frames, frame_count);
    if (list->count == KEPT || bytes > BYTES_MAX - list->bytes ||
        !lh_told_lasts(ring, record->id) ||
        !fill(&list->rows[list->count], record, frames, frame_count))
        return;
    list->bytes += bytes;
    list->count++;
}

bool lh_unended_end(struct lh_unended_list *list, uint64_t id)
{
    uint32_t row = find(list, id);
    if (row == list->count)
        return false;
    bool told = list->rows[row].told;
    forget(list, row);
    return told;
}

bool lh_unended_was_told(const struct lh_unended_list *list, uint64_t id)
{
    uint32_t row = find(list, id);
    return row < list->count && list->rows[row].told;
}

/* It had neither an end nor, as far as is known, parts. */
static void make_end_of(struct lh_record *record)
{
    uint64_t iteration_id = record->stall.iteration_id;
    bool call = record->type == LH_EVENT_INFLIGHT;
    record->type = call ? LH_EVENT_BLOCK : LH_EVENT_STALL;
    record->awaits_victims = 0;
    record->skipped = 0;
    record->stall = (struct lh_stall){.iteration_id = iteration_id,
                                      .oncpu_ns = LH_UNKNOWN,
                                      .blocked_ns = LH_UNKNOWN,
                                      .runqueue_ns = LH_UNKNOWN,
                                      .throttled_ns = LH_UNKNOWN,
                                      .gil_ns = LH_UNKNOWN,
                                      .major_faults = LH_UNKNOWN};
}

const struct lh_unended *lh_unended_next(struct lh_unended_list *list, const struct lh_ring *ring)
{
    for (uint32_t row = 0; row < list->count; row++) {
        struct lh_unended *unended = &list->rows[row];
        if (unended->told || !lh_told_lasts(ring, unended->record->id))
            continue;
        unended->told = true;
        make_end_of(unended->record);
        return unended;
    }
    return NULL;
}

static void count_one(struct lh_totals *totals, const struct lh_record *record)
{
    bool call = record->type == LH_EVENT_BLOCK;
    atomic_fetch_add(call ? &totals->blocks : &totals->stalls, 1);
    atomic_fetch_add(call ? &totals->blocked_ns : &totals->stalled_ns, record->elapsed_ns);
    if (!call)
        return;
    atomic_fetch_add(&totals->by_call[record->call].count, 1);
    atomic_fetch_add(&totals->by_call[record->call].total_ns, record->elapsed_ns);
}

void lh_unended_count(const struct lh_unended_list *list, const struct lh_ring *ring,
                      struct lh_totals *totals)
{
    for (uint32_t row = 0; row < list->count; row++)
        if (list->rows[row].told)
            count_one(totals, list->rows[row].record);
    for (uint32_t i = 0; i < LH_RING_TOLD; i++) {
        enum lh_told_kind kind;
        uint64_t id = lh_told_at(ring, i, &kind);
        if (id != 0 && find(list, id) == list->count)
            atomic_fetch_add(kind == LH_TOLD_CALL ? &totals->blocks : &totals->stalls, 1);
    }
}
