/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and stacks as lines of their own. See stack_book.h.
 *
 * An id is the hash of what the line says, so that files can be put together with cat(1). */
#include "collect/sink/stack_book.h"

#include <string.h>

#include "common/event_json.h"
#include "common/event_parts.h"
#include "common/fnv.h"
#include "common/json_member.h"

/* Is it in the file, or in the lines before? */
static bool is_known(const struct lh_stack_lines *lines, uint64_t id, struct lh_known *known)
{
    const struct lh_known *found = lh_id_set_find(&lines->news.ids, id);
    if (found == NULL)
        return lh_output_knows(lines->output, &lines->news, id, known);
    *known = *found;
    return true;
}

/* 0 stands for no id. */
static uint64_t some_id(uint64_t hash)
{
    return hash != 0 ? hash : 1;
}

static void begin_line(struct lh_json *json, const char *type, uint64_t id)
{
    lh_json_open(json, '{');
    lh_member_u64(json, "v", LH_EVENT_VERSION);
    lh_member_string(json, "type", type);
    lh_member_id(json, "id", id);
}

static void end_line(struct lh_json *json)
{
    lh_json_close(json, '}');
    lh_json_end_line(json);
}

/* The line is written with any id, and the one that its members give is put in its place. */
static uint64_t put_frame(struct lh_stack_lines *lines, const struct lh_frame *frame)
{
    const size_t quoted = LH_ID_DIGITS + 2;
    struct lh_json *json = &lines->lines;
    struct lh_json in_place;
    struct lh_known known = {0};
    size_t before = json->length;
    begin_line(json, "frame", 0);
    size_t members = json->length;
    lh_event_frame(json, frame, false);
    if (json->overflow)
        return 1;
    known.id = some_id(lh_fnv(LH_FNV_START, json->buf + members, json->length - members));
    if (is_known(lines, known.id, &known)) {
        json->length = before;
        return known.id;
    }
    lh_json_init(&in_place, json->buf + members - quoted, quoted);
    lh_json_id(&in_place, known.id);
    end_line(json);
    lh_id_set_add(&lines->news.ids, &known);
    return known.id;
}

/* A stack whose frames have ids. A part of it is all from a frame outwards, which has an id too:
 * that of a stack of these alone. */
struct parts {
    uint32_t count;
    bool cut;
    uint64_t frames[LH_STACK_FRAMES_MAX];
    uint64_t
        ids[LH_STACK_FRAMES_MAX]; /* of the part from this frame on; the first is the stack's */
};

static void make_parts(struct lh_stack_lines *lines, const struct lh_frame *frames, uint32_t count,
                       struct parts *parts)
{
    parts->count = count;
    parts->ids[0] = 0; /* of no frames */
    parts->cut = frames[count - 1].cut != LH_CUT_NONE;
    uint64_t hash = parts->cut ? lh_fnv(LH_FNV_START, "cut", 3) : LH_FNV_START;
    for (uint32_t i = count; i > 0; i--) {
        const uint64_t id = put_frame(lines, &frames[i - 1]);
        hash = lh_fnv(hash, &id, sizeof(id));
        parts->frames[i - 1] = id;
        parts->ids[i - 1] = some_id(hash);
    }
}

/* The first `own` frames, and behind them those of a stack that is known. */
static void write_stack(struct lh_json *json, const struct parts *parts, uint32_t own,
                        const struct lh_known *outer)
{
    begin_line(json, "stack", parts->ids[0]);
    lh_json_key(json, "frames");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < own; i++)
        lh_json_id(json, parts->frames[i]);
    lh_json_close(json, ']');
    if (own < parts->count) {
        lh_member_id(json, "outer", outer->stack);
        lh_member_u64(json, "outer_frames", outer->frames);
    }
    lh_json_key(json, "cut");
    lh_json_bool(json, parts->cut);
    end_line(json);
}

/* Stands for the line of a stack: its id may be known as that of a part only. */
static uint64_t id_of_line(uint64_t id)
{
    return some_id(lh_fnv(id, "line", 4));
}

static void note_stack(struct lh_stack_lines *lines, const struct parts *parts, uint32_t own)
{
    const struct lh_known line = {.id = id_of_line(parts->ids[0])};
    lh_id_set_add(&lines->news.ids, &line);
    for (uint32_t i = 0; i < own; i++) {
        const struct lh_known part = {parts->ids[i], parts->ids[0], parts->count - i};
        lh_id_set_add(&lines->news.ids, &part);
    }
}

/* NULL: nothing is known of these frames. */
static struct lh_numbered_stack *numbered(struct lh_stack_lines *lines,
                                          const struct lh_frame *frames)
{
    uint64_t number = frames == lines->report->frames ? lines->report->stack_number : 0;
    return number != 0 ? &lines->numbered[number & (LH_NUMBERED_STACKS - 1)] : NULL;
}

/* Only once it is in the file: a line that is to be written now may be lost. */
static void note_number(struct lh_stack_lines *lines, const struct lh_frame *frames, uint64_t id)
{
    struct lh_numbered_stack *stack = numbered(lines, frames);
    if (stack == NULL || lh_id_set_find(&lines->news.ids, id_of_line(id)) != NULL)
        return;
    *stack = (struct lh_numbered_stack){lines->report->stack_number, lines->news.file_number, id};
}

static uint64_t put_frames(struct lh_stack_lines *lines, const struct lh_frame *frames,
                           uint32_t count)
{
    struct lh_known known;
    struct parts parts;
    uint32_t own = 0;
    make_parts(lines, frames, count, &parts);
    if (is_known(lines, id_of_line(parts.ids[0]), &known)) {
        note_number(lines, frames, parts.ids[0]);
        return parts.ids[0];
    }
    while (own < count && !is_known(lines, parts.ids[own], &known))
        own++;
    write_stack(&lines->lines, &parts, own, &known);
    note_stack(lines, &parts, own);
    return parts.ids[0];
}

static uint64_t put(struct lh_stack_book *book, const struct lh_frame *frames, uint32_t count)
{
    struct lh_stack_lines *lines = (struct lh_stack_lines *)book;
    const struct lh_numbered_stack *stack = numbered(lines, frames);
    if (stack != NULL && stack->number == lines->report->stack_number &&
        stack->file_number == lines->news.file_number)
        return stack->id;
    return put_frames(lines, frames, count);
}

void lh_stack_lines_begin(struct lh_stack_lines *lines, struct lh_output *output,
                          const struct lh_report *report, char *buf, size_t size)
{
    lines->report = report;
    lines->book.put = put;
    lines->output = output;
    lh_json_init(&lines->lines, buf, size);
    lh_id_set_clear(&lines->news.ids);
    lines->news.file_number = lh_output_file_number(output);
}

void lh_stack_lines_free(struct lh_stack_lines *lines)
{
    lh_id_set_clear(&lines->news.ids);
}
