/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, frames and stacks by their content: each is kept once. See tables.h. */
#include "cli/export/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/boundary.h"
#include "collect/sink/text_parts.h"
#include "common/fnv.h"
#include "common/mix.h"
#include "common/text.h"
#include "common/utf8.h"

#define CHUNK_BYTES  (1u << 20)
#define ROOM_LEAST   64u
#define SOURCE_BYTES 400

bool lh_table_grow(struct lh_export_model *model, void **array, uint32_t count, uint32_t *room,
                   size_t size, uint32_t most)
{
    if (count < *room)
        return true;
    if (count >= most)
        return false;
    uint32_t wanted = count < ROOM_LEAST ? ROOM_LEAST : count + count / 2;
    wanted = wanted < most ? wanted : most;
    void *wider = reallocarray(*array, wanted, size);
    if (wider == NULL) {
        model->tables->out_of_memory = true;
        return false;
    }
    *array = wider;
    *room = wanted;
    return true;
}

/* Where a text of that length ends at most, between two characters. */
static size_t cut_length(const char *text, size_t length)
{
    if (length < LH_EXPORT_STRING_MAX)
        return length;
    size_t end = LH_EXPORT_STRING_MAX - 1;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* What was cut within a character, when a text was put together, is none. */
static void put_utf8(char *to, const char *text, size_t length)
{
    uint32_t code;
    size_t bytes;
    memcpy(to, text, length);
    to[length] = '\0';
    for (size_t i = 0; i < length; i += bytes) {
        bytes = lh_utf8_next(text + i, length - i, &code);
        if (code == LH_UTF8_NONE)
            memset(to + i, '?', bytes);
    }
}

/* A copy that lasts as long as the model. NULL: there is no room. */
static const char *keep_text(struct lh_export_model *model, const char *text, size_t length)
{
    struct lh_export_tables *tables = model->tables;
    if (tables->text_bytes + length + 1 > LH_EXPORT_TEXT_MAX)
        return NULL;
    if (tables->chunk_count == 0 || tables->chunk_used + length + 1 > CHUNK_BYTES) {
        char **chunks = reallocarray(tables->chunks, tables->chunk_count + 1, sizeof(*chunks));
        if (chunks == NULL)
            return NULL;
        tables->chunks = chunks;
        chunks[tables->chunk_count] = malloc(CHUNK_BYTES);
        if (chunks[tables->chunk_count] == NULL)
            return NULL;
        tables->chunk_count++;
        tables->chunk_used = 0;
    }
    char *copy = tables->chunks[tables->chunk_count - 1] + tables->chunk_used;
    put_utf8(copy, text, length);
    tables->chunk_used += (uint32_t)length + 1;
    tables->text_bytes += length + 1;
    return copy;
}

static uint32_t add_string(struct lh_export_model *model, uint64_t key, const char *text,
                           size_t length)
{
    struct lh_export_tables *tables = model->tables;
    if (!lh_table_grow(model, (void **)&tables->strings, tables->string_count, &tables->string_room,
                       sizeof(*tables->strings), LH_EXPORT_STRINGS_MAX))
        return 0;
    const char *copy = keep_text(model, text, length);
    if (copy == NULL || !lh_ids_add_key(&tables->string_ids, key, tables->string_count))
        return 0;
    tables->strings[tables->string_count] = copy;
    return tables->string_count++;
}

uint32_t lh_intern(struct lh_export_model *model, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return 0;
    size_t length = cut_length(text, strlen(text));
    uint64_t hash = lh_fnv(LH_FNV_START, text, length);
    uint64_t key = hash != 0 ? hash : 1;
    uint32_t number = lh_ids_find_key(&model->tables->string_ids, key);
    if (number != LH_NO_NUMBER)
        return number;
    number = add_string(model, key, text, length);
    model->left_out.strings += number == 0;
    return number;
}

/* What a person reads of a frame. */
static uint32_t name_of(struct lh_export_model *model, const struct lh_frame *frame)
{
    char name[LH_EXPORT_STRING_MAX];
    const char *file = frame->module != NULL ? frame->module : frame->file;
    if (frame->function != NULL && frame->function[0] != '\0')
        return lh_intern(model, frame->function);
    if (file == NULL)
        return lh_intern(model, "?");
    if (frame->offset != 0)
        (void)snprintf(name, sizeof(name), "%.1024s+0x%" PRIx64, lh_base_name(file), frame->offset);
    else
        (void)snprintf(name, sizeof(name), "%.1024s", lh_base_name(file));
    return lh_intern(model, name);
}

static uint64_t key_of_frame(const struct lh_export_frame *frame)
{
    const uint64_t parts[] = {
        frame->name,
        frame->file,
        frame->module,
        frame->source,
        frame->library,
        frame->version,
        frame->line,
        frame->offset,
        frame->lang,
        (uint64_t)frame->inlined | (uint64_t)frame->user << 1 | (uint64_t)frame->api << 2};
    uint64_t key = frame->function;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        key = lh_mix(key, parts[i]);
    return key;
}

/* The text of its line, or what one of V8's own functions is at: "/^(a+)+$/". */
static uint32_t source_of(struct lh_export_model *model, const struct lh_frame *frame)
{
    char bytes[SOURCE_BYTES];
    struct lh_text text;
    if (frame->source != NULL || frame->about.kind == LH_JS_ABOUT_NOTHING)
        return lh_intern(model, frame->source);
    lh_text_init(&text, bytes, sizeof(bytes));
    lh_text_amount(&text, &frame->about);
    return lh_intern(model, bytes);
}

/* 0: there is no room. */
static uint32_t intern_frame(struct lh_export_model *model, const struct lh_frame *frame)
{
    struct lh_export_tables *tables = model->tables;
    struct lh_export_frame made = {.name = name_of(model, frame),
                                   .function = lh_intern(model, frame->function),
                                   .file = lh_intern(model, frame->file),
                                   .module = lh_intern(model, frame->module),
                                   .source = source_of(model, frame),
                                   .library = lh_intern(model, frame->library),
                                   .version = lh_intern(model, frame->version),
                                   .line = frame->line,
                                   .offset = frame->offset,
                                   .lang = (uint8_t)frame->lang,
                                   .inlined = frame->inlined,
                                   .user = frame->user,
                                   .api = frame->api};
    uint64_t key = key_of_frame(&made);
    uint32_t number = lh_ids_find_key(&tables->frame_ids, key);
    if (number != LH_NO_NUMBER)
        return number;
    if (!lh_table_grow(model, (void **)&model->frames, model->frame_count, &tables->frame_room,
                       sizeof(*model->frames), LH_EXPORT_FRAMES_MAX) ||
        !lh_ids_add_key(&tables->frame_ids, key, model->frame_count))
        return 0;
    made.kind = (uint8_t)lh_frame_kind_of(frame);
    model->frames[model->frame_count] = made;
    return model->frame_count++;
}

/* The stack of a frame that was called by `outer`; what it is in a flame view stays to be said. 0:
 * there is no room. */
static uint32_t intern_node(struct lh_export_model *model, uint32_t outer, uint32_t frame,
                            bool *added)
{
    struct lh_export_tables *tables = model->tables;
    uint64_t key = lh_mix(1, (uint64_t)outer << 32 | frame);
    uint32_t number = lh_ids_find_key(&tables->node_ids, key);
    *added = number == LH_NO_NUMBER;
    if (!*added)
        return number;
    if (!lh_table_grow(model, (void **)&model->nodes, model->node_count, &tables->node_room,
                       sizeof(*model->nodes), LH_EXPORT_NODES_MAX) ||
        !lh_ids_add_key(&tables->node_ids, key, model->node_count))
        return 0;
    model->nodes[model->node_count] = (struct lh_export_node){.outer = outer, .frame = frame};
    return model->node_count++;
}

/* As the flame view wants it: the outermost boundary is the root. */
static uint32_t flame_of(struct lh_export_model *model, uint32_t node, const struct lh_frame *frame)
{
    bool added;
    const uint32_t outer = model->nodes[model->nodes[node].outer].flame;
    bool in_loop = model->nodes[outer].in_loop;
    bool root = !in_loop && lh_is_boundary(frame);
    if (!root && (model->frames[model->nodes[node].frame].kind == LH_FRAME_INTERPRETER ||
                  lh_is_own_frame(frame)))
        return outer;
    uint32_t base = root ? 0 : outer;
    if (base == model->nodes[node].outer) {
        model->nodes[node].in_loop = in_loop || root;
        return node;
    }
    uint32_t flame = intern_node(model, base, model->nodes[node].frame, &added);
    if (flame == 0)
        return outer;
    if (added) {
        model->nodes[flame].flame = flame;
        model->nodes[flame].in_loop = in_loop || root;
    }
    return flame;
}

static uint32_t intern_frames(struct lh_export_model *model, const json_t *stack)
{
    struct lh_frame frames[LH_STACK_FRAMES_MAX];
    uint32_t count = lh_stack_frames(stack, frames);
    uint32_t node = 0;
    for (uint32_t i = count; i > 0; i--) {
        bool added;
        uint32_t frame = intern_frame(model, &frames[i - 1]);
        uint32_t inner = frame != 0 ? intern_node(model, node, frame, &added) : 0;
        if (inner == 0) {
            model->left_out.frames += i;
            break;
        }
        if (added) {
            uint32_t flame = flame_of(model, inner, &frames[i - 1]); /* may move the nodes */
            model->nodes[inner].flame = flame;
        }
        node = inner;
    }
    return node;
}

/* Where the number of a stack of the book is kept. NULL: there is no memory. */
static uint32_t *cached(struct lh_export_model *model, uint32_t stack, bool exact)
{
    struct lh_export_tables *tables = model->tables;
    uint32_t at = 2 * stack + exact;
    uint32_t before = tables->book_room;
    while (at >= tables->book_room)
        if (!lh_table_grow(model, (void **)&tables->book_nodes, tables->book_room,
                           &tables->book_room, sizeof(*tables->book_nodes), UINT32_MAX))
            return NULL;
    if (tables->book_room > before)
        memset(tables->book_nodes + before, 0xff,
               (tables->book_room - before) * sizeof(*tables->book_nodes));
    return &tables->book_nodes[at];
}

uint32_t lh_intern_stack(struct lh_export_model *model, json_t *part, bool exact)
{
    struct lh_export_tables *tables = model->tables;
    json_t *inside = json_object_get(part, "stack");
    if (json_is_array(inside)) {
        lh_complete_stack(inside, exact, tables->files);
        return intern_frames(model, inside);
    }
    uint32_t number = lh_book_stack(tables->book, part);
    uint32_t *kept = number != LH_NO_NUMBER ? cached(model, number, exact) : NULL;
    if (kept == NULL)
        return 0;
    if (*kept == LH_NO_NUMBER) {
        json_t *frames = lh_book_frames(tables->book, number, exact);
        *kept = intern_frames(model, frames);
        json_decref(frames);
    }
    return *kept;
}

const char *lh_export_string(const struct lh_export_model *model, uint32_t number)
{
    return number != 0 ? model->tables->strings[number] : NULL;
}

const char *lh_export_text(const struct lh_export_model *model, uint32_t number)
{
    return number != 0 ? model->tables->strings[number] : "";
}

uint32_t lh_export_string_count(const struct lh_export_model *model)
{
    return model->tables->string_count;
}
