/* SPDX-License-Identifier: Apache-2.0 */
/* What several events have: a resource, a stack. Runs where event_json.c does. */
#include "common/event_parts.h"

#include "common/json_member.h"
#include "common/peer_text.h"

#define PEER_BYTES 128

void lh_event_open(struct lh_json *json, const char *type, int64_t time_ns, uint32_t pid,
                   uint32_t tid)
{
    lh_json_open(json, '{');
    lh_member_u64(json, "v", LH_EVENT_VERSION);
    lh_member_string(json, "type", type);
    lh_json_key(json, "time");
    lh_json_time(json, time_ns);
    lh_member_u64(json, "pid", pid);
    lh_member_u64(json, "tid", tid);
}

void lh_event_close(struct lh_json *json)
{
    lh_json_close(json, '}');
    lh_json_end_line(json);
}

/* By insertion: qsort() may allocate, and a process that blocks does so in few different calls. */
static void sort_largest_first(struct lh_call_sum *sums, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct lh_call_sum moving = sums[i];
        uint32_t to = i;
        for (; to > 0 && sums[to - 1].total_ns < moving.total_ns; to--)
            sums[to] = sums[to - 1];
        sums[to] = moving;
    }
}

void lh_event_sums(struct lh_json *json, const char *key, struct lh_call_sum *sums, uint32_t count)
{
    sort_largest_first(sums, count);
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

void lh_event_fd(struct lh_json *json, int32_t fd)
{
    if (fd < 0) {
        lh_member_null(json, "fd");
        return;
    }
    lh_member_u64(json, "fd", (uint64_t)fd);
}

static void write_peer(struct lh_json *json, const struct lh_resource *resource)
{
    char peer[PEER_BYTES];
    lh_event_fd(json, resource->fd);
    lh_member_string(json, "peer", lh_peer_text(resource, peer, sizeof(peer)) ? peer : NULL);
}

static void write_socket(struct lh_json *json, const struct lh_resource *resource)
{
    write_peer(json, resource);
    lh_json_key(json, "nonblocking");
    if (resource->nonblocking < 0)
        lh_json_null(json);
    else
        lh_json_bool(json, resource->nonblocking != 0);
}

static void write_file(struct lh_json *json, const struct lh_resource *resource)
{
    lh_event_fd(json, resource->fd);
    lh_member_array(json, "path", resource->text, resource->length);
}

static void write_name(struct lh_json *json, const struct lh_resource *resource)
{
    lh_member_array(json, "host", resource->text, resource->length);
}

static void write_lock(struct lh_json *json, const struct lh_resource *resource)
{
    lh_json_key(json, "address");
    lh_json_hex(json, (uint64_t)resource->number);
}

static void write_who(struct lh_json *json, const char *key, const struct lh_waited_for *who)
{
    if (who->length > 0)
        lh_member_array(json, key, who->text, who->length);
    else
        lh_member_null(json, key);
}

static void write_pid(struct lh_json *json, const struct lh_resource *resource)
{
    lh_json_key(json, "pid");
    lh_json_i64(json, resource->number);
    write_who(json, "command", &resource->who);
}

static void write_thread(struct lh_json *json, const struct lh_resource *resource)
{
    if (resource->number > 0)
        lh_member_u64(json, "tid", (uint64_t)resource->number);
    else
        lh_member_null(json, "tid");
    write_who(json, "name", &resource->who);
}

/* Negative: for ever. */
static void write_time(struct lh_json *json, const char *key, int64_t ns)
{
    if (ns < 0)
        lh_member_null(json, key);
    else
        lh_member_ms(json, key, (uint64_t)ns);
}

static void write_duration(struct lh_json *json, const struct lh_resource *resource)
{
    write_time(json, "ms", resource->number);
}

static const struct {
    const char *kind;
    void (*write)(struct lh_json *json, const struct lh_resource *resource);
} resource_kinds[] = {
    [LH_RESOURCE_SOCKET] = {"socket", write_socket},
    [LH_RESOURCE_FILE] = {"file", write_file},
    [LH_RESOURCE_NAME] = {"name", write_name},
    [LH_RESOURCE_LOCK] = {"lock", write_lock},
    [LH_RESOURCE_PID] = {"pid", write_pid},
    [LH_RESOURCE_DURATION] = {"duration", write_duration},
    [LH_RESOURCE_THREAD] = {"thread", write_thread},
    [LH_RESOURCE_FUTEX] = {"futex", write_lock},
    [LH_RESOURCE_CONDITION] = {"condition", write_lock},
};

static void write_too(struct lh_json *json, const struct lh_waited_too *too)
{
    struct lh_resource resource;
    lh_resource_of_too(&resource, too);
    lh_json_open(json, '{');
    lh_member_string(json, "kind", resource_kinds[too->kind].kind);
    (too->kind == LH_RESOURCE_SOCKET ? write_peer : write_file)(json, &resource);
    lh_json_close(json, '}');
}

static void write_child(struct lh_json *json, const struct lh_waited_for *who)
{
    lh_json_key(json, "child");
    lh_json_open(json, '{');
    lh_member_u64(json, "pid", (uint64_t)who->id);
    write_who(json, "command", who);
    lh_json_close(json, '}');
}

static void write_wait(struct lh_json *json, const struct lh_resource *resource)
{
    write_time(json, "timeout_ms", resource->number);
    lh_member_u64(json, "fds", resource->waited_count);
    if (resource->too_count == 0)
        return;
    lh_json_key(json, "also");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < resource->too_count; i++)
        write_too(json, &resource->too[i]);
    lh_json_close(json, ']');
}

void lh_event_resource(struct lh_json *json, const struct lh_resource *resource)
{
    lh_json_key(json, "resource");
    if (resource->kind == LH_RESOURCE_NONE) {
        lh_json_null(json);
        return;
    }
    lh_json_open(json, '{');
    lh_member_string(json, "kind", resource_kinds[resource->kind].kind);
    resource_kinds[resource->kind].write(json, resource);
    if (resource->waited_count > 0)
        write_wait(json, resource);
    if (lh_resource_has_child(resource))
        write_child(json, &resource->who);
    lh_json_close(json, '}');
}

const char *lh_lang_name(enum lh_lang lang)
{
    static const char *const names[LH_LANG_COUNT] = {
        [LH_LANG_PYTHON] = "python", [LH_LANG_NATIVE] = "native", [LH_LANG_JIT] = "jit"};
    return names[lang];
}

const char *lh_no_stack_reason(uint32_t no_stack)
{
    static const char *const reasons[LH_NO_STACK_COUNT] = {
        [LH_NO_STACK_LATE] = "it got too little of a processor, or the watchdog did",
        [LH_NO_STACK_ASKED] = "it runs no Python, and LOOPHOUND_SIGNAL is none",
        [LH_NO_STACK_SIGNAL] =
            "it runs no Python, and the program uses or blocks every signal to sample it by",
        [LH_NO_STACK_TIMER] = "it runs no Python, and the kernel gives no timer to sample it by",
        [LH_NO_STACK_DENIED] =
            "this process may not read its own memory: a filter of system calls denies it",
    };
    return no_stack < LH_NO_STACK_COUNT ? reasons[no_stack] : NULL;
}

static void write_text(struct lh_json *json, const char *key, const char *text, bool nulls)
{
    if (text != NULL || nulls)
        lh_member_string(json, key, text);
}

static void write_number(struct lh_json *json, const char *key, uint64_t number, bool nulls)
{
    if (number != 0)
        lh_member_u64(json, key, number);
    else if (nulls)
        lh_member_null(json, key);
}

static void write_about(struct lh_json *json, const struct lh_about *about)
{
    if (about->kind == LH_JS_ABOUT_REGEXP)
        write_text(json, "regexp", about->text, false);
    if (about->kind == LH_JS_ABOUT_TEXT)
        lh_member_u64(json, "bytes", about->amount);
    if (about->kind == LH_JS_ABOUT_ARRAY)
        lh_member_u64(json, "elements", about->amount);
}

void lh_event_frame(struct lh_json *json, const struct lh_frame *frame, bool nulls)
{
    lh_member_string(json, "lang", lh_lang_name(frame->lang));
    write_text(json, "function", frame->function, nulls);
    write_text(json, "file", frame->file, nulls);
    write_number(json, "line", frame->line, nulls);
    write_text(json, "module", frame->module, nulls);
    write_number(json, "offset", frame->offset, nulls);
    write_number(json, "column", frame->column, false);
    write_text(json, "class", frame->of_class, false);
    write_about(json, &frame->about);
    if (frame->at_start)
        lh_member_true(json, "at_start");
    write_text(json, "generated_file", frame->generated_file, false);
    write_number(json, "generated_line", frame->generated_line, false);
    if (frame->inlined)
        lh_member_true(json, "inlined");
    if (frame->user)
        lh_member_true(json, "user");
    if (frame->api)
        lh_member_true(json, "api");
    write_text(json, "library", frame->library, false);
    write_text(json, "version", frame->version, false);
    write_text(json, "source", frame->source, false);
    write_text(json, "build_id", frame->build_id, false);
}

static void write_frame(struct lh_json *json, const struct lh_frame *frame)
{
    lh_json_open(json, '{');
    lh_event_frame(json, frame, true);
    if (frame->cut != LH_CUT_NONE)
        lh_member_true(json, "cut");
    lh_json_close(json, '}');
}

void lh_event_stack(struct lh_json *json, struct lh_stack_book *book, const struct lh_frame *frames,
                    uint32_t frame_count)
{
    if (book != NULL && frame_count > 0) {
        lh_member_id(json, "stack_id", book->put(book, frames, frame_count));
        return;
    }
    lh_json_key(json, "stack");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < frame_count; i++)
        write_frame(json, &frames[i]);
    lh_json_close(json, ']');
}

void lh_event_rule(struct lh_json *json, const struct lh_rule *rule, const uint64_t *count)
{
    lh_json_open(json, '{');
    lh_json_key(json, "rule");
    lh_json_string_n(json, rule->text.text, rule->text.length);
    lh_json_key(json, "reason");
    if (rule->reason.length > 0)
        lh_json_string_n(json, rule->reason.text, rule->reason.length);
    else
        lh_json_null(json);
    lh_member_string(json, "file", rule->file);
    lh_member_u64(json, "line", rule->line);
    if (count != NULL)
        lh_member_u64(json, "count", *count);
    lh_json_close(json, '}');
}
