/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop thread waits for in Python's terms. Runs where event_json.c does. */
#include "common/event_awaited.h"

#include "common/event_parts.h"
#include "common/json_member.h"

static const struct {
    const char *kind;
    const char *name;
} kinds[LH_AWAITED_COUNT] = {
    [LH_AWAITED_NONE] = {"unknown", "object"},
    [LH_AWAITED_LOCK] = {"lock", "Lock"},
    [LH_AWAITED_RLOCK] = {"rlock", "RLock"},
    [LH_AWAITED_SEMAPHORE] = {"semaphore", "Semaphore"},
    [LH_AWAITED_CONDITION] = {"condition", "Condition"},
    [LH_AWAITED_EVENT] = {"event", "Event"},
    [LH_AWAITED_BARRIER] = {"barrier", "Barrier"},
    [LH_AWAITED_QUEUE] = {"queue", "Queue"},
    [LH_AWAITED_THREAD] = {"thread", "Thread"},
    [LH_AWAITED_FUTURE] = {"future", "Future"},
};

const char *lh_awaited_name(enum lh_awaited_kind kind)
{
    return kinds[kind].name;
}

static void write_candidate(struct lh_json *json, const struct lh_shown_candidate *candidate)
{
    lh_json_open(json, '{');
    lh_member_u64(json, "tid", candidate->tid);
    lh_member_array(json, "thread", candidate->thread, sizeof(candidate->thread));
    lh_member_bool(json, "within", candidate->within);
    lh_member_bool(json, "names", candidate->names);
    lh_member_bool(json, "deadlock", candidate->deadlock);
    lh_event_stack(json, NULL, candidate->frame, 1);
    lh_json_close(json, '}');
}

static void write_suspended(struct lh_json *json, const struct lh_suspended *suspended)
{
    if (suspended->frame == NULL) {
        lh_member_null(json, "suspended");
        return;
    }
    lh_json_key(json, "suspended");
    lh_json_open(json, '{');
    lh_member_string(json, "task", suspended->task);
    lh_member_string(json, "coroutine", suspended->coroutine);
    lh_event_stack(json, NULL, suspended->frame, 1);
    lh_json_close(json, '}');
}

void lh_event_waits_for(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_waits_for *waits_for = report->waits_for;
    if (waits_for == NULL) {
        lh_member_null(json, "waits_for");
        return;
    }
    lh_json_key(json, "waits_for");
    lh_json_open(json, '{');
    lh_member_string(json, "kind", kinds[waits_for->kind].kind);
    lh_json_key(json, "address");
    lh_json_hex(json, waits_for->address);
    lh_member_bool(json, "own", waits_for->is_own);
    lh_member_bool(json, "for_ever", waits_for->for_ever);
    lh_member_string(json, "coroutine", waits_for->coroutine);
    write_suspended(json, &waits_for->suspended);
    lh_json_key(json, "candidates");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < waits_for->candidate_count; i++)
        write_candidate(json, &waits_for->candidates[i]);
    lh_json_close(json, ']');
    lh_json_close(json, '}');
}
