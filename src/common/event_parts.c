/* What several events have: a resource, a stack. Runs where event_json.c does. */
#include "common/event_parts.h"

#include "common/json_member.h"

#define PEER_BYTES 128

void lh_event_fd(struct lh_json *json, int32_t fd)
{
    if (fd < 0) {
        lh_member_null(json, "fd");
        return;
    }
    lh_member_u64(json, "fd", (uint64_t)fd);
}

static void write_socket(struct lh_json *json, const struct lh_resource *resource)
{
    char peer[PEER_BYTES];
    lh_event_fd(json, resource->fd);
    lh_member_string(json, "peer", lh_peer_text(resource, peer, sizeof(peer)) ? peer : NULL);
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

static void write_pid(struct lh_json *json, const struct lh_resource *resource)
{
    lh_json_key(json, "pid");
    lh_json_i64(json, resource->number);
}

static void write_duration(struct lh_json *json, const struct lh_resource *resource)
{
    if (resource->number < 0)
        lh_member_null(json, "ms");
    else
        lh_member_ms(json, "ms", (uint64_t)resource->number);
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
};

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
    lh_json_close(json, '}');
}

const char *lh_lang_name(enum lh_lang lang)
{
    static const char *const names[LH_LANG_COUNT] = {
        [LH_LANG_PYTHON] = "python", [LH_LANG_NATIVE] = "native", [LH_LANG_JIT] = "jit"};
    return names[lang];
}

static void write_frame(struct lh_json *json, const struct lh_frame *frame)
{
    lh_json_open(json, '{');
    lh_member_string(json, "lang", lh_lang_name(frame->lang));
    lh_member_string(json, "function", frame->function);
    lh_member_string(json, "file", frame->file);
    if (frame->line != 0)
        lh_member_u64(json, "line", frame->line);
    else
        lh_member_null(json, "line");
    lh_member_string(json, "module", frame->module);
    if (frame->offset != 0)
        lh_member_u64(json, "offset", frame->offset);
    else
        lh_member_null(json, "offset");
    if (frame->inlined)
        lh_member_true(json, "inlined");
    if (frame->user)
        lh_member_true(json, "user");
    if (frame->cut)
        lh_member_true(json, "cut");
    if (frame->build_id != NULL)
        lh_member_string(json, "build_id", frame->build_id);
    lh_json_close(json, '}');
}

void lh_event_stack(struct lh_json *json, const struct lh_frame *frames, uint32_t frame_count)
{
    lh_json_key(json, "stack");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < frame_count; i++)
        write_frame(json, &frames[i]);
    lh_json_close(json, ']');
}
