/* SPDX-License-Identifier: Apache-2.0 */
/* Reports put together. See reporter.h. */
#include "collect/report/reporter.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/report/advice.h"
#include "collect/report/callbacks.h"
#include "collect/report/class_of_noise.h"
#include "collect/report/fingerprint.h"
#include "collect/report/groups.h"
#include "collect/report/holders.h"
#include "collect/report/notes.h"
#include "collect/report/pending.h"
#include "collect/report/profile.h"
#include "collect/report/unended.h"
#include "collect/sink/source.h"
#include "collect/stack/frame_kind.h"
#include "collect/stack/library.h"
#include "collect/stack/runtime_work.h"
#include "collect/sys/clock.h"
#include "common/told.h"

struct lh_reporter {
    struct lh_reporter_setup with;
    struct lh_profile *profile;
    struct lh_holders *holders;
    struct lh_pending *pending;
    struct lh_unended_list *unended;
    struct lh_judged *judged;
    struct lh_frame frames[LH_STACK_FRAMES_MAX];
    uint64_t stack_number; /* of these */
    struct lh_groups groups;
    struct lh_notes notes;
    struct lh_source *source;
    struct lh_libraries *libraries;
    struct lh_advice_stacks advice_stacks;
    struct lh_advice advice;
    char advice_text[LH_ADVICE_BYTES];
    char source_line[LH_SOURCE_BYTES]; /* of `frames` */
    char group_line[LH_GROUPS_MAX][LH_SOURCE_BYTES];
};

struct lh_reporter *lh_reporter_new(const struct lh_reporter_setup *setup)
{
    struct lh_reporter *reporter = calloc(1, sizeof(*reporter));
    if (reporter == NULL)
        return NULL;
    reporter->with = *setup;
    reporter->profile = lh_profile_new();
    reporter->holders = lh_holders_new();
    reporter->pending = lh_pending_new();
    reporter->unended = lh_unended_new();
    reporter->judged = lh_judged_new(setup->judge);
    reporter->source = lh_source_new(setup->header->cwd);
    reporter->libraries = lh_libraries_new();
    if (reporter->profile != NULL && reporter->holders != NULL && reporter->pending != NULL &&
        reporter->unended != NULL && reporter->judged != NULL && reporter->source != NULL &&
        reporter->libraries != NULL)
        return reporter;
    lh_reporter_free(reporter);
    return NULL;
}

void lh_reporter_free(struct lh_reporter *reporter)
{
    if (reporter == NULL)
        return;
    lh_profile_free(reporter->profile);
    lh_holders_free(reporter->holders);
    lh_pending_free(reporter->pending);
    lh_unended_free(reporter->unended);
    lh_judged_free(reporter->with.judge, reporter->judged);
    lh_source_free(reporter->source);
    lh_libraries_free(reporter->libraries);
    free(reporter);
}

/* The text of the line to look at, as it is now: the file may be another one when it is read. */
static void take_source(struct lh_reporter *reporter, struct lh_frame *place,
                        char line[LH_SOURCE_BYTES])
{
    char path[PATH_MAX];
    struct lh_text text;
    if (place->file == NULL)
        return;
    bool relative = place->directory != NULL && place->file[0] != '/';
    (void)snprintf(path, sizeof(path), "%s%s%s", relative ? place->directory : "",
                   relative ? "/" : "", place->file);
    lh_text_init(&text, line, LH_SOURCE_BYTES);
    lh_source_line(reporter->source, path, place->line, place->column, &text);
    if (text.length > 0)
        place->source = line;
}

/* What a reader looks at first: the place, and what was called there. */
static void take_place(struct lh_reporter *reporter, struct lh_frame *frames, uint32_t count,
                       char line[LH_SOURCE_BYTES])
{
    uint32_t place = lh_place_of(frames, count);
    uint32_t api = lh_api_of(frames, count, place);
    if (place == count)
        return;
    take_source(reporter, &frames[place], line);
    for (uint32_t i = 0; i < count; i++)
        frames[i].api = i == api;
}

static uint64_t fingerprint_of(const struct lh_reporter *reporter, const struct lh_record *record,
                               const struct lh_frame *frames, uint32_t count)
{
    bool call = record->type == LH_EVENT_BLOCK || record->type == LH_EVENT_INFLIGHT;
    uint32_t place = lh_place_of(frames, count);
    uint32_t api = lh_api_of(frames, count, place);
    if (place == count)
        return 0;
    return lh_fingerprint(call ? lh_call_info(record->call)->canonical : NULL, &frames[place],
                          call && api < count ? frames[api].function : NULL,
                          reporter->with.header->cwd);
}

/* Of the stack that is shown first. */
static void take_fingerprint(const struct lh_reporter *reporter, struct lh_report *report)
{
    bool grouped = report->group_count > 0;
    report->threshold_ns = reporter->with.header->options.threshold_ns;
    report->fingerprint = fingerprint_of(
        reporter, report->record, grouped ? report->groups[0].frames : report->frames,
        grouped ? report->groups[0].frame_count : report->frame_count);
}

/* Loops have no stack, and the stacks of a stall are its samples. */
static uint32_t build_stack(struct lh_reporter *reporter, const struct lh_record *record)
{
    uint32_t most = reporter->with.header->options.stack_frames;
    reporter->stack_number = 0;
    if (most == 0 || record->type == LH_EVENT_LOOP || record->type == LH_EVENT_STALL)
        return 0;
    uint32_t count = lh_stacks_build(reporter->with.stacks, record, reporter->frames, most);
    reporter->stack_number = lh_stacks_number(reporter->with.stacks);
    /* A shorter copy has all there was. */
    if (count > 0 && reporter->frames[count - 1].cut == LH_CUT_BYTES &&
        record->stack_length < reporter->with.header->options.stack_bytes)
        reporter->frames[count - 1].cut = LH_CUT_NONE;
    lh_libraries_name(reporter->libraries, reporter->frames, count);
    take_place(reporter, reporter->frames, count, reporter->source_line);
    return count;
}

/* What was seen in a stall, and the heaviest groups of that. */
static void take_samples(struct lh_reporter *reporter, struct lh_report *report)
{
    report->sample_count = lh_profile_take(reporter->profile, report->record, &report->samples);
    if (report->sample_count > 0)
        report->no_stack = LH_STACK_KNOWN;
    report->groups = reporter->groups.samples;
    report->group_count = lh_groups_find(&reporter->groups, report->samples, report->sample_count);
    for (uint32_t i = 0; i < report->group_count; i++)
        take_place(reporter, reporter->groups.frames[i], report->groups[i].frame_count,
                   reporter->group_line[i]);
}

/* Where an iteration that goes on was most, when at the moment nobody can see it. */
static void use_samples(struct lh_reporter *reporter, struct lh_report *report)
{
    const struct lh_sample *samples;
    if (report->no_stack == LH_STACK_KNOWN ||
        lh_profile_take(reporter->profile, report->record, &samples) == 0)
        return;
    report->stack_number = 0;
    report->frames = samples[0].frames;
    report->frame_count = samples[0].frame_count;
    report->no_stack = LH_STACK_KNOWN;
}

/* About the stack that is shown first. */
static void take_note(struct lh_reporter *reporter, struct lh_report *report)
{
    bool grouped = report->group_count > 0;
    report->note =
        lh_note_about(&reporter->notes, grouped ? report->groups[0].frames : report->frames,
                      grouped ? report->groups[0].frame_count : report->frame_count,
                      lh_stacks_old_map(reporter->with.stacks));
    enum lh_script_flaw flaw;
    const char *script = report->note == NULL ? lh_stacks_flaw(reporter->with.stacks, &flaw) : NULL;
    if (script != NULL)
        report->note = lh_note_flaw(&reporter->notes, script, flaw);
}

static void take_advice(struct lh_reporter *reporter, struct lh_report *report)
{
    if (lh_advice_find(report, &reporter->advice_stacks, &reporter->advice, reporter->advice_text))
        report->advice = &reporter->advice;
}

/* With all that is known of it. */
static uint32_t judge_and_tell(struct lh_reporter *reporter, struct lh_report *report)
{
    if (report->record->type != LH_EVENT_LOOP &&
        !lh_judge_take(reporter->with.judge, reporter->judged, report, reporter->with.main_tid,
                       reporter->with.header->cwd))
        return 0;
    return lh_sink_report(reporter->with.sink, report) != 0;
}

static uint32_t tell(struct lh_reporter *reporter, const struct lh_record *record,
                     const struct lh_victims *victims)
{
    uint32_t frame_count = build_stack(reporter, record);
    struct lh_report report = {.record = record,
                               .frames = reporter->frames,
                               .frame_count = frame_count,
                               .stack_number = reporter->stack_number,
                               .no_stack = (enum lh_no_stack)record->no_stack,
                               .holder = lh_holders_find(reporter->holders, record),
                               .waits_for = lh_holders_find_awaited(reporter->holders, record),
                               .victims = victims};
    if (record->type == LH_EVENT_STALL)
        take_samples(reporter, &report);
    if (record->type == LH_EVENT_STALLING)
        use_samples(reporter, &report);
    take_note(reporter, &report);
    lh_callback_take(&report);
    take_fingerprint(reporter, &report);
    report.work = lh_frames_work(report.frames, report.frame_count);
    take_advice(reporter, &report);
    lh_noise_take(&report, &reporter->with.header->options);
    if (record->type == LH_EVENT_INFLIGHT || record->type == LH_EVENT_STALLING)
        lh_unended_put(reporter->unended, reporter->with.ring, record, report.frames,
                       report.frame_count);
    return judge_and_tell(reporter, &report);
}

static uint32_t tell_pending(struct lh_reporter *reporter, struct lh_pending_report pending,
                             const struct lh_record *counted)
{
    struct lh_victims victims = {0, false, 0};
    bool known = counted != NULL && counted->ready != LH_NOT_COUNTED;
    if (known)
        victims = (struct lh_victims){counted->ready, counted->ready_more != 0,
                                      counted->ready > 0 ? pending.record->elapsed_ns : 0};
    uint32_t lost = tell(reporter, pending.record, known ? &victims : NULL);
    free(pending.record);
    return lost;
}

/* What is held of one thread goes out, with its victims where they are known. */
static uint32_t release_thread(struct lh_reporter *reporter, uint32_t tid,
                               const struct lh_record *counted)
{
    struct lh_pending_report pending;
    uint32_t lost = 0;
    while (tid != 0 && (pending = lh_pending_take(reporter->pending, tid)).record != NULL)
        lost += tell_pending(reporter, pending, counted);
    return lost;
}

uint32_t lh_reporter_release(struct lh_reporter *reporter, bool all)
{
    int64_t now = all ? INT64_MAX : lh_monotonic_ns();
    uint32_t lost = 0;
    while (lh_pending_oldest(reporter->pending).record != NULL &&
           lh_pending_oldest(reporter->pending).until_ns <= now)
        lost += tell_pending(reporter, lh_pending_take(reporter->pending, 0), NULL);
    lh_stacks_let_go(reporter->with.stacks);
    return lost;
}

static uint32_t keep_pending(struct lh_reporter *reporter, const struct lh_record *record,
                             uint64_t position)
{
    uint32_t lost = 0;
    if (lh_pending_add(reporter->pending, record, position, lh_monotonic_ns()))
        return 0;
    if (lh_pending_oldest(reporter->pending).record != NULL)
        lost = tell_pending(reporter, lh_pending_take(reporter->pending, 0), NULL);
    if (lh_pending_add(reporter->pending, record, position, lh_monotonic_ns()))
        return lost;
    return lost + tell(reporter, record, NULL);
}

/* Samples of a later iteration take the place of those that a stall held back still needs. */
static uint32_t add_sample(struct lh_reporter *reporter, const struct lh_record *record)
{
    uint32_t lost = lh_pending_has_stall(reporter->pending, record->tid)
                        ? release_thread(reporter, record->tid, NULL)
                        : 0;
    uint32_t count = build_stack(reporter, record);
    lh_profile_add(reporter->profile, record, reporter->frames, count);
    return lost;
}

/* True: it was told before that it would never end, which stands. */
static bool comes_too_late(struct lh_reporter *reporter, const struct lh_record *record)
{
    if (record->type == LH_EVENT_INFLIGHT || record->type == LH_EVENT_STALLING)
        return lh_unended_was_told(reporter->unended, record->id);
    if (!lh_event_ends(record->type))
        return false;
    lh_told_end(reporter->with.ring, record->id);
    return lh_unended_end(reporter->unended, record->id);
}

static uint32_t tell_unended(struct lh_reporter *reporter, const struct lh_unended *unended)
{
    const struct lh_record *record = unended->record;
    struct lh_report report = {.record = record,
                               .frames = unended->frames,
                               .frame_count = unended->frame_count,
                               .no_stack = (enum lh_no_stack)record->no_stack,
                               .holder = lh_holders_find(reporter->holders, record),
                               .waits_for = lh_holders_find_awaited(reporter->holders, record),
                               .unended = true};
    if (record->type == LH_EVENT_STALL)
        take_samples(reporter, &report);
    lh_callback_take(&report);
    report.work = lh_frames_work(report.frames, report.frame_count);
    take_fingerprint(reporter, &report);
    take_advice(reporter, &report);
    lh_noise_take(&report, &reporter->with.header->options);
    return judge_and_tell(reporter, &report);
}

uint32_t lh_reporter_end(struct lh_reporter *reporter)
{
    const struct lh_unended *unended;
    uint32_t lost = lh_reporter_release(reporter, true);
    while ((unended = lh_unended_next(reporter->unended, reporter->with.ring)) != NULL)
        lost += tell_unended(reporter, unended);
    return lost;
}

void lh_reporter_count(const struct lh_reporter *reporter, struct lh_totals *totals)
{
    lh_unended_count(reporter->unended, reporter->with.ring, totals);
}

const struct lh_judged *lh_reporter_judged(const struct lh_reporter *reporter)
{
    return reporter->judged;
}

/* In the ring, where the program looks. */
static void answer(struct lh_reporter *reporter, const struct lh_record *question)
{
    uint32_t id = (uint32_t)question->id;
    struct lh_home *home = &reporter->with.ring->homes[id % LH_HOMES];
    atomic_store(&home->answers, 0);
    atomic_thread_fence(memory_order_release); /* who copies what follows sees that it was none */
    lh_stacks_find_home(reporter->with.stacks, question, home);
    atomic_store(&home->answers, id);
}

/* All of its frames, however few are to be shown of a stack: they are those of several threads. */
static void add_awaited(struct lh_reporter *reporter, const struct lh_record *record)
{
    uint32_t count =
        lh_stacks_build(reporter->with.stacks, record, reporter->frames, LH_STACK_FRAMES_MAX);
    if (count == record->python_count)
        lh_holders_add_awaited(reporter->holders, record, reporter->frames);
}

static uint32_t tell_repeated(struct lh_reporter *reporter, const struct lh_record *record)
{
    const struct lh_report report = {.record = record};
    if (!lh_judge_repeat(reporter->with.judge, reporter->judged, record->id, record->again,
                         record->elapsed_ns))
        return 0;
    return lh_sink_report(reporter->with.sink, &report) != 0;
}

static uint32_t take(struct lh_reporter *reporter, const struct lh_record *checked,
                     uint64_t position)
{
    if (comes_too_late(reporter, checked))
        return 0;
    switch (checked->type) {
    case LH_EVENT_SAMPLE:
        return add_sample(reporter, checked);
    case LH_EVENT_HOLDER:
        lh_holders_add(reporter->holders, checked, reporter->frames,
                       build_stack(reporter, checked));
        return 0;
    case LH_EVENT_AWAITED:
        add_awaited(reporter, checked);
        return 0;
    case LH_EVENT_HOME:
        answer(reporter, checked);
        return 0;
    case LH_EVENT_REPEATED:
        return tell_repeated(reporter, checked);
    case LH_EVENT_VICTIMS:
        return release_thread(reporter, checked->tid, checked);
    default:
        return checked->awaits_victims != 0 ? keep_pending(reporter, checked, position)
                                            : tell(reporter, checked, NULL);
    }
}

bool lh_reporter_holds(const struct lh_reporter *reporter)
{
    return lh_pending_oldest(reporter->pending).record != NULL;
}

uint64_t lh_reporter_reported(const struct lh_reporter *reporter, uint64_t position)
{
    struct lh_pending_report oldest = lh_pending_oldest(reporter->pending);
    return oldest.record != NULL ? oldest.position : position;
}

/* What is held counts as unread, and all behind it: a reader that takes over from this one counts
 * that as lost, told or not. */
uint32_t lh_reporter_take(struct lh_reporter *reporter, const struct lh_record *checked,
                          uint64_t position)
{
    uint32_t lost = take(reporter, checked, position);
    while (position - lh_reporter_reported(reporter, position) >= LH_REPORTER_HELD)
        lost += tell_pending(reporter, lh_pending_take(reporter->pending, 0), NULL);
    lh_stacks_let_go(reporter->with.stacks);
    return lost;
}

void lh_reporter_give_up(struct lh_reporter *reporter)
{
    lh_source_give_up(reporter->source);
    lh_stacks_give_up(reporter->with.stacks);
}

int64_t lh_reporter_due_ns(const struct lh_reporter *reporter, int64_t most_ns)
{
    struct lh_pending_report oldest = lh_pending_oldest(reporter->pending);
    int64_t due_ns = oldest.record != NULL ? oldest.until_ns - lh_monotonic_ns() : most_ns;
    return due_ns > most_ns ? most_ns : due_ns > 0 ? due_ns : 0;
}
