/* SPDX-License-Identifier: Apache-2.0 */
/* What happened, in the words of a report's first line. Runs on the threads of the rings. See
 * text_parts.h. */
#include <inttypes.h>

#include "collect/sink/text_parts.h"
#include "common/calls.h"
#include "common/errno_name.h"
#include "common/syscall_name.h"
#include "common/units.h"

static const char *call_of(const struct lh_record *record)
{
    return lh_call_info(record->call)->canonical;
}

/* Of what has not ended whole milliseconds are enough, unless it is that short. */
static void add_so_far(struct lh_text *text, const struct lh_record *record)
{
    lh_text_elapsed(text, record->elapsed_ns, record->elapsed_ns < 10 * LH_NS_PER_MS ? 10 : 1);
}

static void add_blocked(struct lh_text *text, const struct lh_text_style *style,
                        const struct lh_record *record)
{
    lh_text_format(text, "%sblocked ", style->strong);
    lh_text_elapsed(text, record->elapsed_ns, 10);
    lh_text_format(text, "%s in %s", style->reset, call_of(record));
}

static void add_strict(struct lh_text *text, const struct lh_text_style *style,
                       const struct lh_record *record)
{
    lh_text_format(text, "%scould block%s: %s took ", style->strong, style->reset, call_of(record));
    lh_text_elapsed(text, record->elapsed_ns, 100);
}

static void add_in_flight(struct lh_text *text, const struct lh_text_style *style,
                          const struct lh_record *record)
{
    lh_text_format(text, "%sstill blocked after ", style->strong);
    add_so_far(text, record);
    lh_text_format(text, "%s in %s", style->reset, call_of(record));
}

/* " in system call 0 (read), not through libc", " for the GIL". */
static void add_waited_for(struct lh_text *text, const struct lh_record *record)
{
    const char *name = lh_syscall_name(record->system_call);
    if (record->system_call >= 0)
        lh_text_format(text, " in system call %" PRId32 "%s%s%s, not through libc",
                       record->system_call, name != NULL ? " (" : "", name != NULL ? name : "",
                       name != NULL ? ")" : "");
    if (record->waits_for_gil != 0)
        lh_text_string(text, " for the GIL");
}

void lh_text_waited_in(struct lh_text *text, const struct lh_record *record)
{
    if (record->system_call < 0)
        return;
    lh_text_string(text, "  last seen");
    add_waited_for(text, record);
    lh_text_resource(text, record);
    lh_text_char(text, '\n');
}

static void add_stalling(struct lh_text *text, const struct lh_text_style *style,
                         const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    bool waits = record->system_call >= 0 || record->waits_for_gil != 0;
    lh_text_format(text, "%sstill %s after ", style->strong, waits ? "waiting" : "busy");
    add_so_far(text, record);
    lh_text_string(text, style->reset);
    add_waited_for(text, record);
    lh_text_about(text, report->frames, report->frame_count);
}

static void add_stalled(struct lh_text *text, const struct lh_text_style *style,
                        const struct lh_record *record)
{
    lh_text_format(text, "%sstalled ", style->strong);
    lh_text_elapsed(text, record->elapsed_ns, 10);
    lh_text_string(text, style->reset);
    lh_text_accounts(text, &record->stall);
}

void lh_text_event(struct lh_text *text, const struct lh_text_style *style,
                   const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    const char *error = lh_errno_name(record->error);
    bool iteration = record->type == LH_EVENT_STALL || record->type == LH_EVENT_STALLING;
    if (record->type == LH_EVENT_STALL)
        add_stalled(text, style, record);
    else if (record->type == LH_EVENT_STALLING)
        add_stalling(text, style, report);
    else if (record->type == LH_EVENT_INFLIGHT)
        add_in_flight(text, style, record);
    else if (record->reason == LH_REASON_STRICT)
        add_strict(text, style, record);
    else
        add_blocked(text, style, record);
    if (record->type != LH_EVENT_STALL)
        lh_text_resource(text, record);
    if (report->work != LH_WORK_NONE)
        lh_text_format(text, ", in %s", lh_work_place(report->work));
    if (report->unended)
        lh_text_string(text, ", and never ended");
    if (!iteration && error != NULL)
        lh_text_format(text, ", %s", error);
}
