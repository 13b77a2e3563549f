/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that reads the ring of a watched program to its end.
 *
 * The ring is shared with a program that may write anything to it at any time: each word of it is
 * read once, and can only make what is said about that program wrong. */
#include "collect/link/watched_thread.h"

#include <unistd.h>

#include "collect/link/memory_limit.h"
#include "collect/link/ring_map.h"
#include "collect/link/surroundings.h"
#include "collect/sys/clock.h"
#include "collect/sys/futex.h"
#include "common/units.h"

#define WAIT_NS (500 * LH_NS_PER_MS) /* longest sleep, should a wake-up be missing */

static void note_lost(struct lh_watched *watched, uint64_t count)
{
    atomic_fetch_add(&watched->lost, count);
}

static void note_result(struct lh_watched *watched, int error)
{
    if (error != 0)
        note_lost(watched, 1);
}

static void say_bad(struct lh_watched *watched)
{
    note_lost(watched, 1);
    if (watched->said_bad)
        return;
    watched->said_bad = true;
    lh_output_say("process %u left a damaged report, which is dropped", watched->header->pid);
}

/* That there is a loop is told by what the record says alone: nothing is read for it, unless a
 * report that is held goes out with it. A program that makes a loop for each of its tests would
 * have its /proc read for each. */
static void follow(struct lh_watched *watched, const struct lh_record *record)
{
    if (record->type != LH_EVENT_LOOP || lh_reporter_holds(watched->reporter))
        lh_rights_follow(&watched->rights, record->uid);
}

static void report(struct lh_watched *watched, uint64_t position)
{
    const struct lh_record *record = &watched->record;
    if (record->type == LH_EVENT_LOST)
        return;
    follow(watched, record);
    if (lh_record_check(record))
        note_lost(watched, lh_reporter_take(watched->reporter, record, position));
    else
        say_bad(watched);
}

/* Tells the program how far its events have been written out. */
static void publish(struct lh_watched *watched)
{
    uint64_t told = lh_reporter_reported(watched->reporter, atomic_load(&watched->position));
    if (atomic_exchange(&watched->ring->written, (uint32_t)told) == (uint32_t)told)
        return;
    lh_futex_wake_all(&watched->ring->written);
}

static bool report_next(struct lh_watched *watched)
{
    uint64_t position = atomic_load(&watched->position);
    uint64_t next = position;
    if (!lh_ring_take(watched->ring, &next, &watched->record))
        return false;
    atomic_store(&watched->position, next);
    report(watched, position);
    publish(watched);
    return true;
}

static void release(struct lh_watched *watched, bool all)
{
    if (lh_reporter_holds(watched->reporter))
        lh_rights_follow(&watched->rights, watched->rights.uid);
    note_lost(watched, lh_reporter_release(watched->reporter, all));
    publish(watched);
}

static void write_summary(struct lh_watched *watched)
{
    struct lh_totals *totals = &watched->header->totals;
    if (watched->summary_written)
        return;
    watched->summary_written = true;
    lh_copy_totals(totals, &watched->ring->totals);
    lh_reporter_count(watched->reporter, totals);
    lh_stacks_count_flaws(watched->stacks, totals);
    const struct lh_judged *judged = lh_reporter_judged(watched->reporter);
    lh_judged_leave_out(judged, totals);
    atomic_fetch_add(&totals->dropped, atomic_load(&watched->lost));
    note_result(watched, lh_sink_summary(watched->sink, lh_realtime_ns(), &judged->quiet));
}

static void count_unended(struct lh_watched *watched)
{
    struct lh_totals unended = {0};
    lh_reporter_count(watched->reporter, &unended);
    atomic_store(&watched->blocks, atomic_load(&unended.blocks));
    atomic_store(&watched->stalls, atomic_load(&unended.stalls));
}

static void say_drained(struct lh_watched *watched)
{
    lh_rights_follow(&watched->rights, watched->rights.uid);
    note_lost(watched, lh_reporter_end(watched->reporter));
    publish(watched);
    count_unended(watched);
    write_summary(watched);
    atomic_store(&watched->ring->drained, 1);
    lh_futex_wake_all(&watched->ring->drained);
}

uint64_t lh_watched_left(const struct lh_watched *watched)
{
    uint64_t left = atomic_load(&watched->ring->head) - atomic_load(&watched->position);
    return left <= LH_RING_CELLS ? left : 0;
}

/* Waits for more than what was there when `wake` was read. */
static void wait_for_more(struct lh_watched *watched, uint32_t wake)
{
    struct lh_ring *ring = watched->ring;
    atomic_store(&ring->sleeps, 1);
    lh_futex_wait_for(&ring->wake, wake, lh_reporter_due_ns(watched->reporter, WAIT_NS));
    atomic_store(&ring->sleeps, 0);
}

static void serve_living(struct lh_watched *watched)
{
    struct lh_ring *ring = watched->ring;
    while (!atomic_load(&watched->stop)) {
        uint32_t wake = atomic_load(&ring->wake);
        bool closing = atomic_load(&ring->closing) != 0;
        if (lh_memory_give_up(&watched->given_up))
            lh_reporter_give_up(watched->reporter);
        if (report_next(watched))
            continue;
        if (closing && !watched->summary_written && lh_watched_left(watched) == 0)
            say_drained(watched);
        else
            wait_for_more(watched, wake);
        release(watched, false);
    }
}

/* A thread that died while it filled in a record never commits it. */
static void serve_rest(struct lh_watched *watched)
{
    for (uint64_t left = lh_watched_left(watched); left > 0; left--) {
        if (report_next(watched))
            continue;
        note_lost(watched, 1);
        atomic_fetch_add(&watched->position, 1);
        publish(watched);
    }
}

void *lh_watched_serve(void *argument)
{
    struct lh_watched *watched = argument;
    const int ended_fd = watched->ended_fd;
    const uint64_t one = 1;
    lh_ring_thread_mark(&watched->mark, &watched->ring->reader);
    lh_output_prepare(watched->output);
    lh_rights_follow(&watched->rights, watched->rights.uid);
    lh_surroundings_find(watched->header, watched->stacks);
    note_result(watched, lh_sink_start(watched->sink));
    serve_living(watched);
    serve_rest(watched);
    atomic_store(&watched->ring->attached, 0);
    say_drained(watched);
    atomic_store(&watched->ended, 1); /* from here on it may be freed, after a join */
    lh_futex_wake_all(&watched->ended);
    if (write(ended_fd, &one, sizeof(one)) < 0)
        lh_output_say("cannot tell that a program is done");
    return NULL;
}

void lh_watched_take_up(struct lh_watched *watched)
{
    uint64_t position = lh_ring_resume(watched->ring);
    uint32_t unwritten = (uint32_t)position - atomic_load(&watched->ring->written);
    atomic_store(&watched->position, position);
    if (unwritten > 0 && unwritten <= LH_RING_CELLS)
        note_lost(watched, unwritten);
    publish(watched);
    atomic_store(&watched->ring->drained, 0);
    atomic_store(&watched->ring->attached, 1);
}
