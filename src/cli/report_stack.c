/* SPDX-License-Identifier: Apache-2.0 */
/* The stacks of events that were read back. See report.h. */
#include <string.h>

#include "cli/report.h"
#include "collect/stack/elf_file.h"
#include "collect/stack/frame_kind.h"
#include "common/event_parts.h"

const char *lh_string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static uint64_t number_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static enum lh_lang lang_of(const json_t *json)
{
    const char *name = lh_string_of(json, "lang");
    for (int lang = 0; name != NULL && lang < LH_LANG_COUNT; lang++)
        if (strcmp(name, lh_lang_name((enum lh_lang)lang)) == 0)
            return (enum lh_lang)lang;
    return LH_LANG_NATIVE;
}

static struct lh_about about_of(const json_t *json)
{
    const char *regexp = lh_string_of(json, "regexp");
    if (regexp != NULL)
        return (struct lh_about){.kind = LH_JS_ABOUT_REGEXP, .text = regexp};
    if (json_is_integer(json_object_get(json, "bytes")))
        return (struct lh_about){.kind = LH_JS_ABOUT_TEXT, .amount = number_of(json, "bytes")};
    if (json_is_integer(json_object_get(json, "elements")))
        return (struct lh_about){.kind = LH_JS_ABOUT_ARRAY, .amount = number_of(json, "elements")};
    return (struct lh_about){.kind = LH_JS_ABOUT_NOTHING};
}

/* The strings stay the event's. */
static struct lh_frame frame_of(const json_t *json)
{
    uint64_t line = number_of(json, "line");
    uint64_t column = number_of(json, "column");
    return (struct lh_frame){.lang = lang_of(json),
                             .function = lh_string_of(json, "function"),
                             .file = lh_string_of(json, "file"),
                             .line = line <= UINT32_MAX ? (uint32_t)line : 0,
                             .column = column <= UINT32_MAX ? (uint32_t)column : 0,
                             .of_class = lh_string_of(json, "class"),
                             .about = about_of(json),
                             .at_start = json_is_true(json_object_get(json, "at_start")),
                             .module = lh_string_of(json, "module"),
                             .offset = number_of(json, "offset"),
                             .inlined = json_is_true(json_object_get(json, "inlined")),
                             .user = json_is_true(json_object_get(json, "user")),
                             .api = json_is_true(json_object_get(json, "api")),
                             .library = lh_string_of(json, "library"),
                             .version = lh_string_of(json, "version"),
                             .source = lh_string_of(json, "source"),
                             .build_id = lh_string_of(json, "build_id")};
}

/* The frame with what stands at its address in the source. */
static json_t *completed(const json_t *json, const struct lh_symbol *symbol)
{
    json_t *copy = json_deep_copy(json);
    json_object_set_new(copy, "function", json_string(symbol->function));
    if (symbol->file != NULL) {
        json_object_set_new(copy, "file", json_string(symbol->file));
        json_object_set_new(copy, "line", json_integer(symbol->line));
    }
    if (symbol->inlined)
        json_object_set_new(copy, "inlined", json_true());
    json_object_del(copy, "build_id");
    return copy;
}

/* Puts what the frame at `index` stands for in its place. Returns how many frames that are. A
 * return address may already belong to the next function; `exact` is none. */
static size_t complete_frame(json_t *stack, size_t index, bool exact, struct lh_symbol_files *files)
{
    struct lh_symbol found[LH_SYMBOLS_MAX];
    json_t *json = json_array_get(stack, index);
    struct lh_frame frame = frame_of(json);
    if (frame.function != NULL || frame.module == NULL || frame.build_id == NULL ||
        frame.offset == 0)
        return 1;
    uint32_t count = lh_symbol_files_find(files, frame.module, frame.build_id,
                                          frame.offset - (exact ? 0 : 1), found);
    for (uint32_t i = 0; i < count; i++)
        json_array_insert_new(stack, index + 1 + i, completed(json, &found[i]));
    if (count > 0)
        json_array_remove(stack, index);
    return count > 0 ? count : 1;
}

uint32_t lh_stack_frames(const json_t *stack, struct lh_frame frames[LH_STACK_FRAMES_MAX])
{
    uint32_t count = 0;
    for (; count < json_array_size(stack) && count < LH_STACK_FRAMES_MAX; count++)
        frames[count] = frame_of(json_array_get(stack, count));
    return count;
}

static void mark_users(json_t *stack)
{
    struct lh_frame frames[LH_STACK_FRAMES_MAX];
    uint32_t count = lh_stack_frames(stack, frames);
    for (uint32_t i = 0; i < count; i++)
        if (frames[i].user)
            return;
    uint32_t first = lh_first_of_user(frames, count);
    if (first < count)
        json_object_set_new(json_array_get(stack, first), "user", json_true());
}

void lh_complete_stack(json_t *stack, bool exact, struct lh_symbol_files *files)
{
    for (size_t i = 0; i < json_array_size(stack);)
        i += complete_frame(stack, i, exact && i == 0, files);
    mark_users(stack);
}

void lh_complete_stacks(json_t *event, struct lh_symbol_files *files)
{
    json_t *samples = json_object_get(event, "samples");
    json_t *groups = json_object_get(event, "groups");
    lh_complete_stack(json_object_get(event, "stack"), false, files);
    lh_complete_stack(json_object_get(json_object_get(event, "holder"), "stack"), false, files);
    for (size_t i = 0; i < json_array_size(samples); i++)
        lh_complete_stack(json_object_get(json_array_get(samples, i), "stack"), true, files);
    for (size_t i = 0; i < json_array_size(groups); i++)
        lh_complete_stack(json_object_get(json_array_get(groups, i), "stack"), false, files);
}

uint32_t lh_marked_place(const struct lh_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (frames[i].user)
            return i;
    return lh_place_of(frames, count);
}

json_t *lh_stack_place(json_t *stack, struct lh_place *place)
{
    struct lh_frame frames[LH_STACK_FRAMES_MAX];
    uint32_t count = lh_stack_frames(stack, frames);
    json_t *kept = count > 0 ? json_array() : NULL;
    if (kept == NULL)
        return NULL;
    uint32_t at = lh_marked_place(frames, count);
    uint32_t api = lh_api_of(frames, count, at);
    json_array_append(kept, json_array_get(stack, at));
    if (api < count)
        json_array_append(kept, json_array_get(stack, api));
    lh_place_of_frames(json_array_get(kept, 0), json_array_get(kept, 1), place);
    return kept;
}

void lh_place_of_frames(const json_t *frame, const json_t *api, struct lh_place *place)
{
    const json_t *owner = lh_string_of(api, "library") != NULL ? api : frame;
    *place = (struct lh_place){.frame = frame_of(frame),
                               .api = lh_string_of(api, "function"),
                               .library = lh_string_of(owner, "library"),
                               .version = lh_string_of(owner, "version")};
}
