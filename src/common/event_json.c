/* Events as JSON Lines. Runs in the collector, and in the watchdog for raw lines: no malloc, no
 * stdio, no locale, no thread-local storage.
 *
 * In the collector the ring is hostile: each of its strings is read up to the end of its array. */
#include "common/event_json.h"

#include <string.h>

#include "common/event_parts.h"
#include "common/json_member.h"
#include "common/version.h"

#define FORMAT_VERSION 1

/* The members that every event begins with. */
static void open_event(struct lh_json *json, const char *type, int64_t time_ns, uint32_t pid,
                       uint32_t tid)
{
    lh_json_open(json, '{');
    lh_member_u64(json, "v", FORMAT_VERSION);
    lh_member_string(json, "type", type);
    lh_json_key(json, "time");
    lh_json_time(json, time_ns);
    lh_member_u64(json, "pid", pid);
    lh_member_u64(json, "tid", tid);
}

static void close_event(struct lh_json *json)
{
    lh_json_close(json, '}');
    lh_json_end_line(json);
}

static void write_warnings(struct lh_json *json, const char *lines, size_t size)
{
    const char *end = lines + strnlen(lines, size);
    lh_json_key(json, "warnings");
    lh_json_open(json, '[');
    while (lines < end) {
        const char *newline = memchr(lines, '\n', (size_t)(end - lines));
        const char *stop = newline != NULL ? newline : end;
        if (stop > lines)
            lh_json_string_n(json, lines, (size_t)(stop - lines));
        lines = stop + 1;
    }
    lh_json_close(json, ']');
}

void lh_event_start(struct lh_json *json, const struct lh_ring *ring)
{
    uint32_t pid = ring->pid;
    open_event(json, "start", ring->started_ns, pid, pid);
    lh_member_null(json, "thread");
    lh_member_array(json, "exe", ring->exe, sizeof(ring->exe));
    lh_member_string(json, "version", LH_VERSION);
    lh_member_ms(json, "threshold_ms", ring->options.threshold_ns);
    lh_json_key(json, "strict");
    lh_json_bool(json, ring->options.strict != 0);
    write_warnings(json, ring->warnings, sizeof(ring->warnings));
    close_event(json);
}

struct call_sum {
    const char *name;
    uint64_t count;
    uint64_t total_ns;
};

/* Adds up the rows of one canonical name. Returns how many names were called at all. */
static uint32_t sum_by_name(const struct lh_ring *ring, struct call_sum sums[LH_CALL_COUNT])
{
    uint32_t used = 0;
    for (uint32_t call = 0; call < LH_CALL_COUNT; call++) {
        uint64_t count = atomic_load(&ring->totals.by_call[call].count);
        uint64_t total_ns = atomic_load(&ring->totals.by_call[call].total_ns);
        if (count == 0)
            continue;
        const char *name = lh_call_info(call)->canonical;
        uint32_t i = 0;
        while (i < used && strcmp(sums[i].name, name) != 0)
            i++;
        if (i == used)
            sums[used++] = (struct call_sum){.name = name};
        sums[i].count += count;
        sums[i].total_ns += total_ns;
    }
    return used;
}

/* By insertion: qsort() may allocate, and a process that blocks does so in few different calls. */
static void sort_largest_first(struct call_sum *sums, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct call_sum moving = sums[i];
        uint32_t to = i;
        for (; to > 0 && sums[to - 1].total_ns < moving.total_ns; to--)
            sums[to] = sums[to - 1];
        sums[to] = moving;
    }
}

static void write_sums(struct lh_json *json, const char *key, const struct call_sum *sums,
                       uint32_t count)
{
    lh_json_key(json, key);
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < count; i++) {
        lh_json_open(json, '{');
        lh_member_string(json, "call", sums[i].name);
        lh_member_u64(json, "count", sums[i].count);
        lh_member_ms(json, "total_ms", sums[i].total_ns);
        lh_json_close(json, '}');
    }
    lh_json_close(json, ']');
}

static void write_by_call(struct lh_json *json, const struct lh_ring *ring)
{
    struct call_sum sums[LH_CALL_COUNT];
    uint32_t count = sum_by_name(ring, sums);
    sort_largest_first(sums, count);
    write_sums(json, "by_call", sums, count);
}

void lh_event_summary(struct lh_json *json, const struct lh_ring *ring, int64_t time_ns)
{
    uint32_t pid = ring->pid;
    open_event(json, "summary", time_ns, pid, pid);
    lh_member_null(json, "thread");
    lh_member_u64(json, "loops", atomic_load(&ring->totals.loops));
    lh_member_u64(json, "blocks", atomic_load(&ring->totals.blocks));
    lh_member_u64(json, "stalls", atomic_load(&ring->totals.stalls));
    lh_member_null(json, "suppressed");
    lh_member_u64(json, "dropped", atomic_load(&ring->totals.dropped));
    lh_member_ms(json, "blocked_ms", atomic_load(&ring->totals.blocked_ns));
    write_by_call(json, ring);
    close_event(json);
}

static void write_task(struct lh_json *json, const struct lh_record *record)
{
    const struct lh_python_task *task = &record->task;
    if (!task->has_name && !task->has_coroutine) {
        lh_member_null(json, "task");
        return;
    }
    lh_json_key(json, "task");
    lh_json_open(json, '{');
    lh_member_string(json, "name", task->has_name ? record->strings + task->name : NULL);
    lh_member_string(json, "coroutine",
                     task->has_coroutine ? record->strings + task->coroutine : NULL);
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

/* What an iteration that goes on waits in, past libc's functions. */
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

static void write_holder(struct lh_json *json, const struct lh_holder *holder)
{
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
    lh_event_stack(json, holder->frames, holder->frame_count);
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

static void write_block(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    lh_member_u64(json, "id", record->id);
    write_call(json, record);
    if (record->type == LH_EVENT_STALLING)
        write_system_call(json, record->system_call);
    lh_member_string(json, "reason", record->reason == LH_REASON_STRICT ? "strict" : "threshold");
    lh_member_ms(json, "duration_ms", record->elapsed_ns);
    lh_member_string(json, "errno", lh_errno_name(record->error));
    lh_event_resource(json, &record->resource);
    write_holder(json, report->holder);
    write_victims(json, report->victims);
    write_task(json, record);
    lh_event_stack(json, report->frames, report->frame_count);
    lh_member_null(json, "suppressed");
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
    struct call_sum sums[LH_STALL_CALLS];
    for (uint32_t i = 0; i < stall->call_count; i++)
        sums[i] = (struct call_sum){lh_call_info(stall->calls[i].call)->canonical,
                                    stall->calls[i].count, stall->calls[i].total_ns};
    sort_largest_first(sums, stall->call_count);
    write_sums(json, "calls", sums, stall->call_count);
}

static void write_samples(struct lh_json *json, const struct lh_sample *samples, uint32_t count)
{
    lh_json_key(json, "samples");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < count; i++) {
        lh_json_open(json, '{');
        lh_member_u64(json, "count", samples[i].count);
        lh_event_stack(json, samples[i].frames, samples[i].frame_count);
        lh_json_close(json, '}');
    }
    lh_json_close(json, ']');
}

static void write_stall(struct lh_json *json, const struct lh_report *report)
{
    const struct lh_stall *stall = &report->record->stall;
    lh_member_u64(json, "id", report->record->id);
    lh_member_ms(json, "duration_ms", report->record->elapsed_ns);
    key_ms_if_known(json, "oncpu_ms", stall->oncpu_ns);
    key_ms_if_known(json, "blocked_ms", stall->blocked_ns);
    key_ms_if_known(json, "runqueue_ms", stall->runqueue_ns);
    key_ms_if_known(json, "throttled_ms", stall->throttled_ns);
    key_ms_if_known(json, "gil_ms", stall->gil_ns);
    if (stall->major_faults == LH_UNKNOWN)
        lh_member_null(json, "major_faults");
    else
        lh_member_u64(json, "major_faults", stall->major_faults);
    write_stall_calls(json, stall);
    write_samples(json, report->samples, report->sample_count);
    write_holder(json, report->holder);
    write_victims(json, report->victims);
    lh_member_null(json, "suppressed");
}

void lh_event_report(struct lh_json *json, uint32_t pid, const struct lh_report *report)
{
    static const struct {
        const char *name;
        void (*write)(struct lh_json *json, const struct lh_report *report);
    } types[LH_EVENT_COUNT] = {
        [LH_EVENT_LOOP] = {"loop", write_loop},          [LH_EVENT_BLOCK] = {"block", write_block},
        [LH_EVENT_INFLIGHT] = {"inflight", write_block}, [LH_EVENT_STALL] = {"stall", write_stall},
        [LH_EVENT_STALLING] = {"inflight", write_block},
    };
    const struct lh_record *record = report->record;
    if (types[record->type].write == NULL)
        return;
    open_event(json, types[record->type].name, record->time_ns, pid, record->tid);
    lh_member_array(json, "thread", record->thread, sizeof(record->thread));
    types[record->type].write(json, report);
    close_event(json);
}
