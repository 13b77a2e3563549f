/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop thread waits for in Python's terms. Runs on the threads of the rings. */
#include "collect/sink/text_awaited.h"

#include <inttypes.h>
#include <string.h>

#include "common/event_awaited.h"

void lh_text_held_by(struct lh_text *text, const struct lh_waits_for *waits_for)
{
    if (waits_for == NULL) {
        lh_text_string(text, "the lock held by");
    } else if (waits_for->kind == LH_AWAITED_THREAD) {
        lh_text_string(text, "waits for the end of");
    } else if (waits_for->coroutine != NULL) {
        lh_text_string(text, "waits for ");
        lh_text_clean(text, waits_for->coroutine, strlen(waits_for->coroutine));
        lh_text_string(text, "() on the loop of");
    } else if (waits_for->kind == LH_AWAITED_FUTURE) {
        lh_text_string(text, "the Future is run by");
    } else {
        lh_text_format(text, "the %s held by", lh_awaited_name(waits_for->kind));
    }
}

/* What it is to do it cannot do while it waits. */
static void add_own(struct lh_text *text, const struct lh_text_style *style,
                    const struct lh_waits_for *waits_for)
{
    lh_text_format(text, "  %swaits for ", style->strong);
    if (waits_for->kind == LH_AWAITED_FUTURE || waits_for->suspended.frame != NULL)
        lh_text_string(text, "its own loop");
    else
        lh_text_format(text, "a %s that it has itself", lh_awaited_name(waits_for->kind));
    if (waits_for->coroutine != NULL) {
        lh_text_string(text, ", to run ");
        lh_text_clean(text, waits_for->coroutine, strlen(waits_for->coroutine));
        lh_text_string(text, "()");
    }
    lh_text_format(text, ": this %s%s\n",
                   waits_for->for_ever ? "never ends by itself" : "ends with its time-out only",
                   style->reset);
}

static void add_place(struct lh_text *text, const struct lh_text_style *style,
                      const struct lh_ring *header, const struct lh_frame *frame)
{
    lh_text_string(text, style->place);
    if (frame->file != NULL)
        lh_text_path(text, frame->file, header->cwd);
    lh_text_format(text, ":%" PRIu32 "%s ", frame->line, style->reset);
    if (frame->function != NULL)
        lh_text_clean(text, frame->function, strlen(frame->function));
}

/* It goes on when the loop does. */
static void add_suspended(struct lh_text *text, const struct lh_text_style *style,
                          const struct lh_ring *header, const struct lh_waits_for *waits_for)
{
    const struct lh_suspended *suspended = &waits_for->suspended;
    lh_text_format(text, "  the %s held by %s", lh_awaited_name(waits_for->kind),
                   suspended->task != NULL ? "task " : "a task");
    if (suspended->task != NULL)
        lh_text_clean(text, suspended->task, strlen(suspended->task));
    if (suspended->coroutine != NULL) {
        lh_text_string(text, " (coroutine ");
        lh_text_clean(text, suspended->coroutine, strlen(suspended->coroutine));
        lh_text_char(text, ')');
    }
    lh_text_string(text, ", which awaits in ");
    add_place(text, style, header, suspended->frame);
    lh_text_char(text, '\n');
}

static void add_candidate(struct lh_text *text, const struct lh_text_style *style,
                          const struct lh_ring *header, const struct lh_shown_candidate *candidate)
{
    lh_text_string(text, "    ");
    lh_text_clean(text, candidate->thread, strnlen(candidate->thread, sizeof(candidate->thread)));
    lh_text_format(text, " (thread %" PRIu32 ") in ", candidate->tid);
    add_place(text, style, header, candidate->frame);
    if (candidate->within)
        lh_text_string(text, ", within its `with` statement");
    else if (candidate->names)
        lh_text_string(text, ", which has it in a variable");
    lh_text_char(text, '\n');
}

/* It is likely enough that it has what this one waits for. */
static void add_deadlock(struct lh_text *text, const struct lh_text_style *style,
                         const struct lh_waits_for *waits_for,
                         const struct lh_shown_candidate *candidate)
{
    lh_text_format(text, "  %sdeadlock: ", style->strong);
    lh_text_clean(text, candidate->thread, strnlen(candidate->thread, sizeof(candidate->thread)));
    lh_text_format(text,
                   "%s (thread %" PRIu32
                   ") is within the %s's `with` statement, and waits for this "
                   "thread\n",
                   style->reset, candidate->tid, lh_awaited_name(waits_for->kind));
}

void lh_text_waits_for(struct lh_text *text, const struct lh_text_style *style,
                       const struct lh_ring *header, const struct lh_waits_for *waits_for)
{
    if (waits_for == NULL)
        return;
    if (waits_for->is_own)
        add_own(text, style, waits_for);
    if (waits_for->suspended.frame != NULL)
        add_suspended(text, style, header, waits_for);
    for (uint32_t i = 0; i < waits_for->candidate_count; i++)
        if (waits_for->candidates[i].deadlock)
            add_deadlock(text, style, waits_for, &waits_for->candidates[i]);
    if (waits_for->candidate_count == 0)
        return;
    lh_text_format(text, "  %snobody is known to have the %s; candidates:%s\n", style->faint,
                   lh_awaited_name(waits_for->kind), style->reset);
    for (uint32_t i = 0; i < waits_for->candidate_count; i++)
        add_candidate(text, style, header, &waits_for->candidates[i]);
}

bool lh_waits_for_is_news(const struct lh_waits_for *waits_for)
{
    if (waits_for == NULL)
        return false;
    for (uint32_t i = 0; i < waits_for->candidate_count; i++)
        if (waits_for->candidates[i].deadlock)
            return true;
    return waits_for->is_own;
}
