/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as text for people. Runs on the threads of the rings.
 *
 * A report of a call that has not returned is followed by one line under the same number when it
 * does: its stack has been shown. So is that of a place for a while. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collect/sink/history.h"
#include "collect/sink/output.h"
#include "collect/sink/sink_format.h"
#include "collect/sink/text_awaited.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"
#include "collect/sink/text_summary.h"
#include "collect/sink/thread_names.h"
#include "common/units.h"

#define LINES_BYTES (256u << 10) /* the longest report */

#define GROUPS_MAX 8u /* of a stall, more than there ever are */

#define REPEAT_NS LH_NS_PER_S /* a call in flight is not told again before it lasts this long */

struct text_sink {
    const struct lh_ring *header;
    uint32_t main_tid;
    struct lh_output *output;
    bool may_colour;
    struct lh_text_style style;
    struct lh_text_stack *stack;
    struct lh_history *history;
    struct lh_thread_names names;
    struct lh_place_sums known; /* of the baseline: counted, and not shown */
    bool reported;              /* a block was shown */
    char lines[LINES_BYTES];    /* before they are made to fit */
};

static const struct lh_text_style plain = {"", "", "", "", "", 0};

static void text_free(void *state)
{
    struct text_sink *sink = state;
    lh_text_stack_free(sink->stack);
    lh_history_free(sink->history);
    free(sink);
}

static void *text_new(const struct lh_sink_setup *setup)
{
    struct text_sink *sink = calloc(1, sizeof(*sink));
    if (sink == NULL)
        return NULL;
    sink->header = setup->header;
    sink->main_tid = setup->main_tid;
    sink->output = setup->output;
    sink->may_colour = setup->colour;
    sink->style = plain;
    sink->stack = lh_text_stack_new(setup->header, &sink->style);
    sink->history = lh_history_new(setup->header->cwd);
    if (sink->stack != NULL && sink->history != NULL)
        return sink;
    text_free(sink);
    return NULL;
}

static void add_head(const struct text_sink *sink, struct lh_text *text)
{
    lh_text_format(text, "loophound[%" PRIu32 "] ", sink->header->pid);
}

/* What cannot be seen: one line each. */
static size_t text_start(void *state, char *buf, size_t size)
{
    static const struct lh_text_style ansi = {"\033[1;31m", "\033[36m", "\033[1m",
                                              "\033[2m",    "\033[0m",  0};
    struct text_sink *sink = state;
    struct lh_text text;
    if (sink->may_colour && lh_output_is_terminal(sink->output))
        sink->style = ansi;
    lh_text_init(&text, buf, size);
    const char *line = sink->header->warnings;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        if (length > 0) {
            add_head(sink, &text);
            lh_text_string(&text, "warning: ");
            lh_text_clean(&text, line, length);
            lh_text_char(&text, '\n');
        }
        line += length + (line[length] == '\n');
    }
    return text.length;
}

static void add_thread(struct text_sink *sink, struct lh_text *text, const struct lh_record *record)
{
    const char *name = record->tid == sink->main_tid ? "MainThread" : record->thread;
    bool shared = lh_thread_name_is_shared(&sink->names, record->tid, name);
    if (name[0] == '\0') {
        lh_text_format(text, "thread %" PRIu32, record->tid);
        return;
    }
    lh_text_clean(text, name, strlen(name));
    if (shared)
        lh_text_format(text, " (thread %" PRIu32 ")", record->tid);
}

/* What has been told of a stall's groups: one that looks like an earlier one is a part of it. */
static uint64_t take_alike(const struct text_sink *sink, const struct lh_report *report,
                           uint32_t first, bool *told, struct lh_sample *sum)
{
    *sum = report->groups[first];
    for (uint32_t i = first + 1; i < report->group_count && i < GROUPS_MAX; i++) {
        const struct lh_sample *group = &report->groups[i];
        if (told[i] || !lh_text_stack_alike(sink->stack, sum, group))
            continue;
        told[i] = true;
        sum->ns += group->ns;
        lh_work_add(sum->work_ns, group->work_ns);
    }
    return sum->ns;
}

/* What most of its time was spent below, and a second one where that had a good part of it. */
static void add_groups(const struct text_sink *sink, struct lh_text *text,
                       const struct lh_report *report)
{
    bool told[GROUPS_MAX] = {false};
    uint64_t all_ns = 0;
    for (uint32_t i = 0; i < report->sample_count; i++)
        all_ns += report->samples[i].ns;
    for (uint32_t i = 0; i < report->group_count && i < GROUPS_MAX; i++) {
        struct lh_sample group;
        if (told[i])
            continue;
        lh_text_format(text, "  %sin ", sink->style.faint);
        lh_text_elapsed(text, take_alike(sink, report, i, told, &group), 10);
        lh_text_string(text, " of ");
        lh_text_elapsed(text, all_ns, 10);
        lh_text_string(text, " sampled");
        lh_text_about(text, group.frames, group.frame_count);
        lh_text_work(text, &group);
        lh_text_format(text, ":%s\n", sink->style.reset);
        lh_text_stack_add(sink->stack, text, group.frames, group.frame_count);
    }
}

static void add_holder_name(const struct text_sink *sink, struct lh_text *text,
                            const struct lh_holder *holder)
{
    if (holder->tid == sink->main_tid)
        lh_text_string(text, "MainThread");
    else
        lh_text_clean(text, holder->thread, strlen(holder->thread));
}

/* "the GIL held by". */
static void add_held_by(struct lh_text *text, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    if (record->type == LH_EVENT_STALL || record->waits_for_gil != 0)
        lh_text_string(text, "the GIL held by");
    else
        lh_text_held_by(text, report->waits_for);
}

/* "  the GIL held by worker-0", with its stack: whoever has what the thread waits for. */
static void add_holder(const struct text_sink *sink, struct lh_text *text,
                       const struct lh_report *report)
{
    const struct lh_holder *holder = report->holder;
    if (holder == NULL)
        return;
    lh_text_format(text, "  %s%s", sink->style.strong, holder->deadlock ? "deadlock: " : "");
    add_held_by(text, report);
    lh_text_char(text, ' ');
    add_holder_name(sink, text, holder);
    lh_text_format(text, "%s (thread %" PRIu32 "%s)%s\n", sink->style.reset, holder->tid,
                   holder->running ? ", running" : "",
                   holder->deadlock ? ", which waits for this thread" : "");
    lh_text_stack_add(sink->stack, text, holder->frames, holder->frame_count);
}

/* In a line: who has it may be another one each time. */
static void add_held(const struct text_sink *sink, struct lh_text *text,
                     const struct lh_report *report)
{
    if (report->holder == NULL)
        return;
    lh_text_string(text, ", ");
    add_held_by(text, report);
    lh_text_char(text, ' ');
    add_holder_name(sink, text, report->holder);
}

/* There is more to it than its place. */
static bool is_news(const struct lh_report *report)
{
    return report->note != NULL || (report->holder != NULL && report->holder->deadlock) ||
           lh_waits_for_is_news(report->waits_for);
}

/* "4th". */
static void add_ordinal(struct lh_text *text, uint64_t number)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    bool teen = number / 10 % 10 == 1;
    uint64_t last = number % 10;
    lh_text_format(text, "%" PRIu64 "%s", number, endings[!teen && last < 4 ? last : 0]);
}

/* The first line of a report. Where its place has been shown it is the only one: then it is cut
 * where it is too long for the terminal, and else broken. */
static void add_line(struct text_sink *sink, struct lh_text *text, const struct lh_report *report,
                     const struct lh_seen *seen)
{
    const struct lh_record *record = report->record;
    bool once_more = seen->again && !seen->shown;
    size_t width = sink->style.width;
    size_t from = text->length;
    char bytes[64];
    struct lh_text end;
    lh_text_init(&end, bytes, sizeof(bytes));
    lh_text_format(&end, "  #%" PRIu64, record->id);
    if (once_more)
        lh_text_format(&end, ", as #%" PRIu64, seen->as);
    add_head(sink, text);
    add_thread(sink, text, record);
    lh_text_char(text, ' ');
    if (once_more) {
        lh_text_string(text, "again, ");
        add_ordinal(text, seen->nth);
        lh_text_string(text, " time: ");
    }
    lh_text_event(text, &sink->style, report);
    if (seen->again) {
        add_held(sink, text, report);
        lh_text_cut_parts(text, from, width > end.length ? width - end.length : 0);
        lh_text_string(text, sink->style.reset);
    }
    lh_text_string(text, end.buf);
    if (!seen->again)
        lh_text_wrap(text, from, width);
    lh_text_char(text, '\n');
}

static void add_advice(const struct text_sink *sink, struct lh_text *text,
                       const struct lh_report *report, const struct lh_seen *seen)
{
    if (lh_history_advise(report, seen))
        lh_text_advice(text, &sink->style, report->advice);
}

/* What follows the line of a stall that is told in full. */
static void add_stall(struct text_sink *sink, struct lh_text *text, const struct lh_report *report,
                      const struct lh_seen *seen)
{
    const struct lh_record *record = report->record;
    lh_text_victims(text, &sink->style, report->victims);
    lh_text_stall_calls(text, &record->stall);
    lh_text_waited_in(text, record);
    lh_text_task(text, &sink->style, report);
    lh_text_sentence(text, &sink->style, report->note);
    add_groups(sink, text, report);
    lh_text_no_stack(text, &sink->style, report->no_stack);
    add_advice(sink, text, report, seen);
    add_holder(sink, text, report);
}

/* The same of anything else. The stack is not told twice. */
static void add_block(struct text_sink *sink, struct lh_text *text, const struct lh_report *report,
                      const struct lh_seen *seen)
{
    bool shown = seen->shown;
    const struct lh_record *record = report->record;
    lh_text_victims(text, &sink->style, report->victims);
    if (!shown) {
        lh_text_task(text, &sink->style, report);
        lh_text_sentence(text, &sink->style, report->note);
        lh_text_stack_add(sink->stack, text, report->frames, report->frame_count);
        lh_text_no_stack(text, &sink->style, report->no_stack);
        add_advice(sink, text, report, seen);
    }
    /* The GIL may have another holder by now. */
    if (record->waits_for_gil != 0 || (!shown && record->type != LH_EVENT_STALLING))
        add_holder(sink, text, report);
    if (!shown)
        lh_text_waits_for(text, &sink->style, sink->header, report->waits_for);
}

static void add_report(struct text_sink *sink, struct lh_text *text, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    struct lh_seen seen = lh_history_add(sink->history, report);
    bool stall = record->type == LH_EVENT_STALL;
    seen.again = seen.again && !is_news(report);
    if ((seen.shown || seen.again) && !lh_event_ends(record->type) &&
        record->elapsed_ns < REPEAT_NS)
        return;
    add_line(sink, text, report, &seen);
    lh_text_skipped(text, &sink->style, &sink->header->options, record->skipped);
    if (!seen.again && stall && !(report->unended && seen.shown))
        add_stall(sink, text, report, &seen);
    else if (!seen.again && !stall)
        add_block(sink, text, report, &seen);
    lh_history_show(sink->history, report, &seen, !seen.again && (stall || !seen.shown));
}

/* From the lines that were made to those that fit the terminal. */
static size_t finish(const struct text_sink *sink, char *buf, size_t size)
{
    struct lh_text text;
    lh_text_init(&text, buf, size);
    lh_text_cut_lines(&text, sink->lines, sink->style.width, sink->style.reset);
    return text.length;
}

/* Kept quiet by a rule, or known from the baseline: the reader has said that it is no news. */
static bool is_quiet(struct text_sink *sink, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    if (report->known == LH_PLACE_KNOWN && record->type == LH_EVENT_BLOCK) {
        sink->known.blocks++;
        sink->known.blocked_ns += record->elapsed_ns;
    }
    if (report->known == LH_PLACE_KNOWN && record->type == LH_EVENT_STALL) {
        sink->known.stalls++;
        sink->known.stalled_ns += record->elapsed_ns;
    }
    return report->suppressed != NULL || report->known == LH_PLACE_KNOWN;
}

static size_t text_report(void *state, const struct lh_report *report, char *buf, size_t size)
{
    struct text_sink *sink = state;
    struct lh_text text;
    if (report->record->type == LH_EVENT_LOOP) {
        (void)lh_thread_name_is_shared(&sink->names, report->record->tid, report->record->thread);
        return 0;
    }
    if (report->record->type == LH_EVENT_REPEATED) {
        lh_history_repeat(sink->history, report->record);
        return 0;
    }
    if (is_quiet(sink, report))
        return 0;
    lh_text_init(&text, sink->lines, sizeof(sink->lines));
    sink->style.width = lh_output_columns(sink->output);
    add_report(sink, &text, report);
    sink->reported |= text.length > 0;
    return finish(sink, buf, size);
}

static void text_lost(void *state)
{
    const struct text_sink *sink = state;
    lh_history_lost(sink->history);
}

static size_t text_summary(void *state, int64_t time_ns, const struct lh_quiet *quiet, char *buf,
                           size_t size)
{
    struct text_sink *sink = state;
    struct lh_text text;
    (void)time_ns;
    if (!sink->reported && atomic_load(&sink->header->totals.dropped) == 0)
        return 0;
    lh_text_init(&text, sink->lines, sizeof(sink->lines));
    sink->style.width = lh_output_columns(sink->output);
    add_head(sink, &text);
    lh_text_summary(&text, &sink->style, &sink->header->totals, quiet, &sink->known,
                    lh_history_places(sink->history));
    return finish(sink, buf, size);
}

const struct lh_sink_format lh_sink_text = {
    .new = text_new,
    .free = text_free,
    .start = text_start,
    .report = text_report,
    .lost = text_lost,
    .summary = text_summary,
};
