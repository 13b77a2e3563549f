/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON Lines. Runs in the collector, and in the watchdog for raw lines: no malloc, no
 * stdio, no locale, no thread-local storage.
 *
 * In the collector the ring is hostile: each of its strings is read up to the end of its array. */
#include "common/event_json.h"

#include <stddef.h>
#include <string.h>

#include "common/errno_name.h"
#include "common/event_awaited.h"
#include "common/event_parts.h"
#include "common/json_member.h"
#include "common/syscall_name.h"
#include "common/units.h"

#define SEVERE_THRESHOLDS 5u
#define SEVERE_NS         (10 * LH_NS_PER_S)

static void write_task(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    const struct lh_python_task *task = &record->task;
    if (!task->has_name && !task->has_coroutine && report->callback == NULL &&
        report->callback_kind == NULL) {
        lh_member_null(json, "task");
        return;
    }
    lh_json_key(json, "task");
    lh_json_open(json, '{');
    lh_member_string(json, "name", task->has_name ? record->strings + task->name : NULL);
    lh_member_string(json, "coroutine",
                     task->has_coroutine ? record->strings + task->coroutine : NULL);
    lh_member_string(json, "callback", report->callback);
    lh_member_string(json, "kind", report->callback_kind);
    lh_json_close(json, '}');
}

/* What the program has said: which test runs, and the labels of the thread. */
static void write_tags(struct lh_json *json, const struct lh_tags *tags)
{
    const char *string = tags->text;
    lh_member_string(json, "test", tags->has_test ? string : NULL);
    if (tags->label_count == 0) {
        lh_member_null(json, "labels");
        return;
    }
    if (tags->has_test)
        string += strlen(string) + 1;
    lh_json_key(json, "labels");
    lh_json_open(json, '{');
    for (uint32_t i = 0; i < tags->label_count; i++) {
        const char *value = string + strlen(string) + 1;
        lh_member_string(json, string, value);
        string = value + strlen(value) + 1;
    }
    lh_json_close(json, '}');
}

static void write_loop(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    static const char *const how[LH_FOUND_COUNT] = {
        [LH_FOUND_BY_API] = "api", [LH_FOUND_BY_OPTION] = "main"};
    const char *declared = how[record->found];
    lh_member_string(json, "how",
                     declared != NULL ? declared : lh_call_info(record->call)->canonical);
    lh_event_fd(json, record->fd);
}

/* An iteration that goes on has no call. */
static void write_call(struct lh_json *json, const struct lh_record *record)
{
    bool none = record->type == LH_EVENT_STALLING;
    lh_member_string(json, "call", none ? NULL : lh_call_info(record->call)->canonical);
    lh_member_string(json, "group", none ? NULL : lh_group_name((enum lh_group)record->group));
}

/* What an iteration waits in, past libc's functions. */
static void write_system_call(struct lh_json *json, int32_t number)
{
    lh_json_key(json, "system_call");
    if (number < 0) {
        lh_json_null(json);
        return;
    }
    lh_json_open(json, '{');
    lh_member_u64(json, "number", (uint64_t)number);
    lh_member_string(json, "name", lh_syscall_name(number));
    lh_json_close(json, '}');
}

/* What an iteration that goes on is in. */
static void write_progress(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    write_system_call(json, record->system_call);
    lh_json_key(json, "waits_for_gil");
    lh_json_bool(json, record->waits_for_gil != 0);
    lh_json_key(json, "collects");
    lh_json_bool(json, lh_work_collects(report->work));
    lh_member_string(json, "no_stack", lh_no_stack_reason(report->no_stack));
}

static void write_holder(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_holder *holder = report->holder;
    lh_json_key(json, "holder");
    if (holder == NULL) {
        lh_json_null(json);
        return;
    }
    lh_json_open(json, '{');
    lh_member_u64(json, "tid", holder->tid);
    lh_member_array(json, "thread", holder->thread, sizeof(holder->thread));
    lh_json_key(json, "deadlock");
    lh_json_bool(json, holder->deadlock);
    lh_json_key(json, "running");
    lh_json_bool(json, holder->running);
    lh_event_stack(json, report->book, holder->frames, holder->frame_count);
    lh_json_close(json, '}');
}

static void write_victims(struct lh_json *json, const struct lh_victims *victims)
{
    if (victims == NULL) {
        lh_member_null(json, "victims");
        return;
    }
    lh_json_key(json, "victims");
    lh_json_open(json, '{');
    lh_member_u64(json, "ready", victims->ready);
    lh_json_key(json, "at_least");
    lh_json_bool(json, victims->more);
    lh_member_ms(json, "waited_ms", victims->waited_ns);
    lh_json_close(json, '}');
}

static void write_ended(struct lh_json *json, const struct lh_report *report)
{
    lh_json_key(json, "ended");
    lh_json_bool(json, !report->unended);
}

static void write_advice(struct lh_json *json, const struct lh_advice *advice)
{
    lh_json_key(json, "advice");
    if (advice == NULL) {
        lh_json_null(json);
        return;
    }
    lh_json_open(json, '{');
    lh_member_string(json, "rule", advice->rule);
    lh_member_string(json, "text", advice->text);
    lh_json_close(json, '}');
}

/* Five thresholds, or what nobody waits for. */
static bool is_severe(const struct lh_report *report)
{
    uint64_t elapsed_ns = report->record->elapsed_ns;
    return elapsed_ns >= SEVERE_NS ||
           (report->threshold_ns > 0 && elapsed_ns / SEVERE_THRESHOLDS >= report->threshold_ns);
}

/* When, where and how bad: of blocks and stalls, also of those that last. */
static void write_offence(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    uint64_t over_ns =
        record->elapsed_ns > report->threshold_ns ? record->elapsed_ns - report->threshold_ns : 0;
    lh_member_u64(json, "id", record->id);
    lh_json_key(json, "start");
    lh_json_time(json, (int64_t)((uint64_t)record->time_ns - record->span_ns));
    if (report->fingerprint != 0)
        lh_member_id(json, "fingerprint", report->fingerprint);
    else
        lh_member_null(json, "fingerprint");
    lh_member_string(json, "severity", is_severe(report) ? "error" : "warn");
    lh_member_ms(json, "duration_ms", record->elapsed_ns);
    lh_member_ms(json, "over_ms", over_ns);
    write_tags(json, &record->tags);
}

/* In the baseline? Kept quiet by a rule? */
static void write_judgement(struct lh_json *json, const struct lh_report *report)
{
    if (report->known == LH_PLACE_UNASKED)
        lh_member_null(json, "known");
    else
        lh_member_bool(json, "known", report->known == LH_PLACE_KNOWN);
    lh_json_key(json, "suppressed");
    if (report->suppressed == NULL)
        lh_json_null(json);
    else
        lh_event_rule(json, report->suppressed, NULL);
}

/* A call has no member for the reason; an iteration that goes on has. */
static const char *note_of(const struct lh_report *report)
{
    bool told = report->note != NULL || report->record->type == LH_EVENT_STALLING;
    return told ? report->note : lh_no_stack_reason(report->no_stack);
}

static void write_block(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    write_offence(json, report);
    write_call(json, record);
    if (record->type == LH_EVENT_STALLING)
        write_progress(json, report);
    lh_member_string(json, "reason", record->reason == LH_REASON_STRICT ? "strict" : "threshold");
    if (record->type == LH_EVENT_BLOCK)
        write_ended(json, report);
    lh_member_string(json, "errno", lh_errno_name(record->error));
    lh_event_resource(json, &record->resource);
    write_holder(json, report);
    lh_event_waits_for(json, report);
    write_victims(json, report->victims);
    write_task(json, report);
    lh_member_string(json, "work", lh_work_place(report->work));
    lh_event_stack(json, report->book, report->frames, report->frame_count);
    lh_member_string(json, "note", note_of(report));
    write_advice(json, report->advice);
    lh_member_string(json, "noise",
                     report->noise != LH_NOISE_NONE ? lh_noise_name(report->noise) : NULL);
    write_judgement(json, report);
}

static void key_ms_if_known(struct lh_json *json, const char *key, uint64_t ns)
{
    if (ns == LH_UNKNOWN)
        lh_member_null(json, key);
    else
        lh_member_ms(json, key, ns);
}

static void write_stall_calls(struct lh_json *json, const struct lh_stall *stall)
{
    struct lh_call_sum sums[LH_STALL_CALLS];
    for (uint32_t i = 0; i < stall->call_count; i++)
        sums[i] = (struct lh_call_sum){lh_call_info(stall->calls[i].call)->canonical,
                                       stall->calls[i].count, stall->calls[i].total_ns};
    lh_event_sums(json, "calls", sums, stall->call_count);
}

static void write_last_call(struct lh_json *json, const struct lh_stall *stall)
{
    if (stall->last_call_ns == 0) {
        lh_member_null(json, "last_call");
        return;
    }
    lh_json_key(json, "last_call");
    lh_json_open(json, '{');
    lh_member_string(json, "call", lh_call_info(stall->last_call)->canonical);
    lh_member_ms(json, "within_ms", stall->last_call_ns);
    lh_json_close(json, '}');
}

static void write_work(struct lh_json *json, const uint64_t ns[LH_WORK_COUNT])
{
    lh_json_key(json, "work");
    lh_json_open(json, '[');
    for (int work = LH_WORK_NONE + 1; work < LH_WORK_COUNT; work++) {
        if (ns[work] == 0)
            continue;
        lh_json_open(json, '{');
        lh_member_string(json, "in", lh_work_place((enum lh_work)work));
        lh_member_ms(json, "ms", ns[work]);
        lh_json_close(json, '}');
    }
    lh_json_close(json, ']');
}

static void write_samples(struct lh_json *json, struct lh_stack_book *book,
                          const struct lh_sample *samples, uint32_t count)
{
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < count; i++) {
        lh_json_open(json, '{');
        lh_member_u64(json, "count", samples[i].count);
        lh_member_ms(json, "ms", samples[i].ns);
        lh_member_ms(json, "collecting_ms", lh_work_collecting_ns(samples[i].work_ns));
        write_work(json, samples[i].work_ns);
        lh_event_stack(json, book, samples[i].frames, samples[i].frame_count);
        lh_json_close(json, '}');
    }
    lh_json_close(json, ']');
}

static void write_stall(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_stall *stall = &report->record->stall;
    write_offence(json, report);
    write_ended(json, report);
    key_ms_if_known(json, "oncpu_ms", stall->oncpu_ns);
    key_ms_if_known(json, "blocked_ms", stall->blocked_ns);
    key_ms_if_known(json, "runqueue_ms", stall->runqueue_ns);
    key_ms_if_known(json, "throttled_ms", stall->throttled_ns);
    key_ms_if_known(json, "gil_ms", stall->gil_ns);
    if (stall->major_faults == LH_UNKNOWN)
        lh_member_null(json, "major_faults");
    else
        lh_member_u64(json, "major_faults", stall->major_faults);
    write_task(json, report);
    write_stall_calls(json, stall);
    write_last_call(json, stall);
    write_system_call(json, report->record->system_call);
    lh_event_resource(json, &report->record->resource);
    lh_json_key(json, "samples");
    write_samples(json, report->book, report->samples, report->sample_count);
    lh_json_key(json, "groups");
    write_samples(json, report->book, report->groups, report->group_count);
    lh_member_string(json, "no_stack", lh_no_stack_reason(report->no_stack));
    lh_member_string(json, "note", report->note);
    write_advice(json, report->advice);
    write_holder(json, report);
    write_victims(json, report->victims);
    write_judgement(json, report);
}

/* Of the block with this id. */
static void write_repeated(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    lh_member_u64(json, "id", record->id);
    lh_member_string(json, "call", lh_call_info(record->call)->canonical);
    lh_member_u64(json, "count", record->again);
    lh_member_ms(json, "total_ms", record->elapsed_ns);
    write_tags(json, &record->tags);
}

void lh_event_report(struct lh_json *json, uint32_t pid, const struct lh_report *report)
{
    static const struct {
        const char *name;
        void (*write)(struct lh_json *json, const struct lh_report *report);
    } types[LH_EVENT_COUNT] = {
        [LH_EVENT_LOOP] = {"loop", write_loop},
        [LH_EVENT_BLOCK] = {"block", write_block},
        [LH_EVENT_INFLIGHT] = {"inflight", write_block},
        [LH_EVENT_STALL] = {"stall", write_stall},
        [LH_EVENT_STALLING] = {"inflight", write_block},
        [LH_EVENT_REPEATED] = {"repeated", write_repeated},
    };
    const struct lh_record *record = report->record;
    if (types[record->type].write == NULL)
        return;
    lh_event_open(json, types[record->type].name, record->time_ns, pid, record->tid);
    lh_member_array(json, "thread", record->thread, sizeof(record->thread));
    types[record->type].write(json, report);
    lh_event_close(json);
}
