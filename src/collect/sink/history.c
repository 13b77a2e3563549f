/* SPDX-License-Identifier: Apache-2.0 */
/* What has been told. Runs on the threads of the rings. See history.h. */
#include "collect/sink/history.h"

#include <stdlib.h>

#include "collect/stack/frame_kind.h"
#include "common/units.h"

#define OPEN_MAX     64u /* calls and iterations in flight; of more, the oldest is forgotten */
#define FORGOTTEN_NS (60 * (int64_t)LH_NS_PER_S) /* then a reader wants to see a stack again */

struct open {
    uint64_t id; /* 0: none */
    uint64_t elapsed_ns;
    bool shown;
    struct lh_place_row *row;
};

#define TOLD_MAX 8192u /* reports of strict mode whose places may be met again */

struct told {
    uint64_t id; /* 0: none */
    struct lh_place_row *row;
};

struct lh_history {
    const char *cwd;
    struct lh_place_table *places;
    unsigned next;
    struct open open[OPEN_MAX];
    struct told told[TOLD_MAX]; /* each in the place of its id */

    /* What the last report has shown; NULL: nothing. */
    struct open *shown_open;
    struct lh_place_row *shown_row;
};

struct lh_history *lh_history_new(const char *cwd)
{
    struct lh_history *history = calloc(1, sizeof(*history));
    if (history == NULL)
        return NULL;
    history->cwd = cwd;
    history->places = lh_place_table_new();
    if (history->places != NULL)
        return history;
    free(history);
    return NULL;
}

void lh_history_free(struct lh_history *history)
{
    if (history == NULL)
        return;
    lh_place_table_free(history->places);
    free(history);
}

static void add_time(struct lh_place_row *row, uint64_t ns)
{
    if (row == NULL)
        return;
    row->total_ns = lh_place_sum_ns(row->total_ns, ns);
    row->worst_ns = ns > row->worst_ns ? ns : row->worst_ns;
}

/* No end of it has been told. */
static void settle(struct open *open)
{
    if (open->id != 0)
        add_time(open->row, open->elapsed_ns);
    *open = (struct open){0};
}

static struct open *find(struct lh_history *history, uint64_t id)
{
    for (unsigned i = 0; i < OPEN_MAX; i++)
        if (id != 0 && history->open[i].id == id)
            return &history->open[i];
    return NULL;
}

static bool is_call(const struct lh_record *record)
{
    return record->type == LH_EVENT_BLOCK || record->type == LH_EVENT_INFLIGHT;
}

/* The frame to look at: of a stall, where most of its time went. NULL: there is no stack. */
static const struct lh_frame *frame_of(const struct lh_report *report)
{
    bool grouped = report->group_count > 0;
    const struct lh_frame *frames = grouped ? report->groups[0].frames : report->frames;
    uint32_t count = grouped ? report->groups[0].frame_count : report->frame_count;
    return count > 0 ? &frames[lh_place_of(frames, count)] : NULL;
}

static struct lh_place_row *row_of(struct lh_history *history, const struct lh_report *report,
                                   const struct open *open)
{
    const struct lh_record *record = report->record;
    const char *what = is_call(record) ? lh_call_info(record->call)->canonical : LH_PLACE_STALL;
    if (report->fingerprint == 0 && open != NULL && open->row != NULL)
        return open->row; /* what was seen of it earlier */
    return lh_place_table_row(history->places, what, report->fingerprint, frame_of(report),
                              history->cwd);
}

/* It is one of the row's, and of no other any more. */
static void count(struct lh_place_row *row, struct lh_place_row *before)
{
    if (row == before)
        return;
    if (before != NULL)
        before->count--;
    if (row != NULL)
        row->count++;
}

static struct open *keep(struct lh_history *history, uint64_t id)
{
    struct open *open = NULL;
    for (unsigned i = 0; open == NULL && i < OPEN_MAX; i++)
        if (history->open[i].id == 0)
            open = &history->open[i];
    if (open == NULL)
        open = &history->open[history->next++ % OPEN_MAX];
    settle(open);
    open->id = id;
    return open;
}

static bool is_remembered(int64_t then_ns, const struct lh_record *record)
{
    int64_t age_ns = (int64_t)((uint64_t)record->time_ns - (uint64_t)then_ns); /* hostile */
    return age_ns >= 0 && age_ns < FORGOTTEN_NS;
}

static bool was_shown_lately(const struct lh_place_row *row, const struct lh_record *record)
{
    return row->shown_id != 0 && row->shown_id != record->id &&
           is_remembered(row->shown_ns, record);
}

struct lh_seen lh_history_add(struct lh_history *history, const struct lh_report *report)
{
    history->shown_open = NULL;
    history->shown_row = NULL;
    const struct lh_record *record = report->record;
    struct open *open = find(history, record->id);
    struct lh_seen seen = {.row = row_of(history, report, open)};
    count(seen.row, open != NULL ? open->row : NULL);
    seen.shown = open != NULL && open->shown;
    if (report->fingerprint != 0 && seen.row != NULL) {
        seen.again = was_shown_lately(seen.row, record);
        seen.nth = seen.row->count;
        seen.as = seen.row->shown_id;
    }
    if (record->reason == LH_REASON_STRICT)
        history->told[record->id % TOLD_MAX] = (struct told){record->id, seen.row};
    if (lh_event_ends(record->type)) {
        add_time(seen.row, record->elapsed_ns);
        if (open != NULL)
            *open = (struct open){0};
        return seen;
    }
    if (open == NULL)
        open = keep(history, record->id);
    open->row = seen.row;
    open->elapsed_ns = record->elapsed_ns;
    return seen;
}

void lh_history_repeat(struct lh_history *history, const struct lh_record *repeated)
{
    const struct told *told = &history->told[repeated->id % TOLD_MAX];
    if (told->id != repeated->id || told->row == NULL)
        return;
    told->row->count = lh_place_sum_ns(told->row->count, repeated->again);
    told->row->total_ns = lh_place_sum_ns(told->row->total_ns, repeated->elapsed_ns);
}

void lh_history_show(struct lh_history *history, const struct lh_report *report,
                     const struct lh_seen *seen, bool whole)
{
    struct open *open = find(history, report->record->id);
    bool has_stack = report->frame_count > 0 || report->group_count > 0;
    history->shown_open = open;
    if (open != NULL)
        open->shown = report->no_stack == LH_STACK_KNOWN; /* else the next one may have a stack */
    if (!whole || !has_stack || seen->row == NULL)
        return;
    seen->row->shown_id = report->record->id;
    seen->row->shown_ns = report->record->time_ns;
    history->shown_row = seen->row;
}

void lh_history_lost(struct lh_history *history)
{
    if (history->shown_open != NULL)
        history->shown_open->shown = false;
    if (history->shown_row != NULL)
        history->shown_row->shown_id = 0;
}

bool lh_history_advise(const struct lh_report *report, const struct lh_seen *seen)
{
    struct lh_place_row *row = seen->row;
    if (report->advice == NULL)
        return false;
    if (row == NULL || report->fingerprint == 0)
        return true;
    if (row->advised && is_remembered(row->advised_ns, report->record))
        return false;
    row->advised = true;
    row->advised_ns = report->record->time_ns;
    return true;
}

struct lh_place_table *lh_history_places(struct lh_history *history)
{
    for (unsigned i = 0; i < OPEN_MAX; i++)
        settle(&history->open[i]);
    return history->places;
}
