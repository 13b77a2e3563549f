/* SPDX-License-Identifier: Apache-2.0 */
/* What a function is called, and where it stands. See heap.h for where it runs: no malloc, no
 * stdio, no locks.
 *
 * A SharedFunctionInfo is what all closures of one function have in common. Its name is a string,
 * or part of its ScopeInfo, whose parts are there or not as its flags say
 * (src/objects/scope-info.tq of V8). */
#include "preload/v8/function.h"

#include <string.h>

#include "common/text.h"
#include "preload/v8/heap.h"
#include "preload/v8/lines.h"
#include "preload/v8/strings.h"

/* ScopeInfo, in words after the map. */
enum { SCOPE_FLAGS, SCOPE_PARAMETERS, SCOPE_LOCALS, SCOPE_START, SCOPE_END };
#define SCOPE_TYPE(flags)           ((flags)&15)
#define SCOPE_MODULE                5
#define SCOPE_RECEIVER(flags)       ((flags) >> 7 & 3)
#define SCOPE_CLASS_VARIABLE(flags) ((flags) >> 10 & 1)
#define SCOPE_FUNCTION(flags)       ((flags) >> 12 & 3)
#define SCOPE_INFERRED(flags)       ((flags) >> 14 & 1)
#define LOCALS_INLINED              75u /* from so many on they are in a table */
#define LOCALS_MAX                  2000u
#define SCOPE_TAIL                  8u /* words that are read of what follows the locals */

#define DEBUG_INFO_SCRIPT 24 /* up to 11: it stands in the place of the script */
#define WRAPPED_SHARED    8

struct naming {
    uintptr_t name; /* a string; 0: none */
    int32_t start;  /* in the source; -1: not known */
    int32_t end;
};

/* Where the names begin that follow the locals. */
static size_t behind_locals(const struct lh_v8_offsets *at, uint32_t flags, uint32_t locals)
{
    size_t words = (size_t)at->scope_first + (SCOPE_TYPE(flags) == SCOPE_MODULE);
    words += (locals < LOCALS_INLINED ? locals : 1) + locals;
    words += SCOPE_CLASS_VARIABLE(flags);
    if (at->scope_has_receiver)
        words += SCOPE_RECEIVER(flags) == 1 || SCOPE_RECEIVER(flags) == 2;
    return words;
}

static void read_names(struct lh_v8_walk *walk, const uintptr_t *words, uint32_t flags,
                       struct naming *naming)
{
    if (SCOPE_FUNCTION(flags) != 0) {
        if (lh_v8_is_string(walk, words[0]) && lh_v8_string_length(walk, words[0]) > 0)
            naming->name = words[0];
        words += 2;
    }
    if (SCOPE_INFERRED(flags) != 0) {
        if (naming->name == 0 && lh_v8_is_string(walk, words[0]))
            naming->name = words[0];
        words++;
    }
    if (walk->layout->at.scope_first <= SCOPE_START && lh_v8_is_smi(words[0]) &&
        lh_v8_is_smi(words[1])) {
        naming->start = lh_v8_smi(words[0]);
        naming->end = lh_v8_smi(words[1]);
    }
}

static void read_scope(struct lh_v8_walk *walk, uintptr_t scope, struct naming *naming)
{
    uintptr_t *words = walk->scratch->scope;
    uintptr_t first = scope - 1 + LH_V8_WORD;
    size_t read = lh_v8_read_some(walk, words, first, (SCOPE_END + 1) * sizeof(words[0]));
    uint32_t flags = (uint32_t)words[SCOPE_FLAGS] | (uint32_t)(words[SCOPE_FLAGS] >> 32);
    uint32_t locals = (uint32_t)lh_v8_smi(words[SCOPE_LOCALS]);
    if (read < (SCOPE_LOCALS + 1) * sizeof(words[0]) || locals > LOCALS_MAX)
        return;
    if (walk->layout->at.scope_first > SCOPE_START) {
        naming->start = lh_v8_smi(words[SCOPE_START]);
        naming->end = lh_v8_smi(words[SCOPE_END]);
    }
    size_t tail = behind_locals(&walk->layout->at, flags, locals);
    lh_v8_read_some(walk, words, first + tail * sizeof(words[0]), SCOPE_TAIL * sizeof(words[0]));
    read_names(walk, words, flags, naming);
}

/* The value of a property that is a field: in the object, or behind it. */
static uintptr_t read_field(struct lh_v8_walk *walk, uintptr_t object, uintptr_t map, int32_t index)
{
    uint32_t sizes = lh_v8_half(walk, map, LH_V8_WORD);
    int32_t words = (int32_t)(sizes & 0xff);      /* of the object … */
    int32_t first = (int32_t)(sizes >> 8 & 0xff); /* … and where its fields begin */
    if (first + index < words)
        return lh_v8_field(walk, object, (int64_t)(first + index) * LH_V8_WORD);
    return lh_v8_element(walk, lh_v8_field(walk, object, LH_V8_WORD), index - (words - first));
}

#define PROPERTY_ACCESSOR       1
#define PROPERTY_INDEX(details) ((details) >> 19 & 0x3ff)

/* A function to which a name was given (of a computed key, by defineProperty()) has it as a
 * property; others have an accessor that asks the SharedFunctionInfo. Its second descriptor is that
 * of `name`, where the function is no dictionary. */
static uintptr_t own_name(struct lh_v8_walk *walk, uintptr_t function)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t map = lh_v8_field(walk, function, 0);
    uintptr_t descriptors = lh_v8_field(walk, map, at->map_descriptors);
    uintptr_t entry[3]; /* key, details, value */
    if (!lh_v8_is_object(descriptors) ||
        !lh_v8_read(walk, entry, descriptors - 1 + (uintptr_t)at->descriptors_first + sizeof(entry),
                    sizeof(entry)) ||
        !lh_v8_is_smi(entry[1]))
        return 0;
    int32_t details = lh_v8_smi(entry[1]);
    if ((details & PROPERTY_ACCESSOR) != 0 || !lh_v8_string_is(walk, entry[0], "name"))
        return 0;
    uintptr_t value = entry[2];
    if ((details & at->location_mask) == 0)
        value = read_field(walk, function, map, PROPERTY_INDEX(details));
    return lh_v8_string_length(walk, value) > 0 ? value : 0;
}

static void find_naming(struct lh_v8_walk *walk, const struct lh_v8_seen *seen,
                        struct naming *naming)
{
    uintptr_t name = lh_v8_field(walk, seen->shared, walk->layout->at.shared_name);
    *naming = (struct naming){.start = -1, .end = -1};
    if (lh_v8_type(walk, name) == walk->layout->at.type_scope)
        read_scope(walk, name, naming);
    else if (lh_v8_is_string(walk, name))
        naming->name = name;
    uintptr_t own = seen->function != 0 ? own_name(walk, seen->function) : 0;
    if (own != 0)
        naming->name = own;
}

/* 0: it has none, as V8's own functions. */
static uintptr_t script_of(struct lh_v8_walk *walk, uintptr_t shared)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t script = lh_v8_field(walk, shared, at->shared_script);
    if (at->type_debug != LH_V8_NEVER && lh_v8_type(walk, script) == at->type_debug)
        script = lh_v8_field(walk, script, DEBUG_INFO_SCRIPT);
    return lh_v8_type(walk, script) == at->type_script ? script : 0;
}

/* Has it no file, and no source map? */
static bool is_nodes_own(const char *script)
{
    return lh_starts_with(script, "node:");
}

/* A position outside of its function is of a table that was misread. */
static void place(struct lh_v8_walk *walk, const struct lh_v8_seen *seen,
                  const struct naming *naming, uintptr_t script, struct lh_js_frame *frame)
{
    uint32_t position = seen->position.offset - 1;
    bool is_known = seen->position.offset != 0 && seen->position.offset - 1 <= INT32_MAX;
    if (is_known && naming->start >= 0)
        is_known = position >= (uint32_t)naming->start && position <= (uint32_t)naming->end;
    if (!is_known && naming->start < 0)
        return;
    frame->how = is_known ? LH_JS_EXACT : LH_JS_START;
    if (!is_known)
        position = (uint32_t)naming->start;
    frame->position = position;
    if (!lh_v8_line(walk, script, position, &frame->line, &frame->column))
        frame->line = frame->column = 0;
    if (frame->line == 0 || !is_nodes_own(walk->record->strings + frame->script))
        lh_v8_note_source(walk, script, frame);
}

/* The whole of a string that is evaluated has no name, and that string no file. */
static bool store_names(struct lh_v8_walk *walk, const struct naming *naming, uintptr_t script,
                        struct lh_js_frame *frame)
{
    uintptr_t file = script != 0 ? lh_v8_field(walk, script, walk->layout->at.script_name) : 0;
    bool has_file =
        file != 0 && lh_v8_store_string(walk, file, LH_V8_END, LH_V8_SCRIPT_MAX, &frame->script);
    if (naming->name != 0 &&
        lh_v8_store_string(walk, naming->name, LH_V8_BEGIN, LH_V8_NAME_MAX, &frame->function))
        return has_file || lh_v8_store_text(walk, "", &frame->script);
    return lh_v8_store_text(walk, has_file || script == 0 ? "" : "eval", &frame->function) &&
           (has_file || lh_v8_store_text(walk, "", &frame->script));
}

bool lh_v8_store(struct lh_v8_walk *walk, const struct lh_v8_seen *seen)
{
    struct lh_record *record = walk->record;
    struct lh_js_frame *frame = &record->js[record->js_count];
    struct naming naming;
    uintptr_t shared = seen->shared;
    if (lh_v8_type(walk, shared) == walk->layout->at.type_wrapper)
        shared = lh_v8_field(walk, shared, WRAPPED_SHARED);
    if (lh_v8_type(walk, shared) != walk->layout->at.type_shared)
        return true; /* it is none that can be named */
    if (record->js_count >= walk->most) {
        record->js_cut = 1;
        return false;
    }
    struct lh_v8_seen unwrapped = *seen;
    unwrapped.shared = shared;
    find_naming(walk, &unwrapped, &naming);
    uintptr_t script = script_of(walk, shared);
    uint32_t strings = record->strings_length;
    *frame = (struct lh_js_frame){.fp = seen->fp, .kind = (uint8_t)seen->kind};
    if (!store_names(walk, &naming, script, frame)) {
        record->strings_length = strings;
        record->js_cut = 1;
        return false;
    }
    if (script != 0)
        place(walk, &unwrapped, &naming, script, frame);
    record->js_count++;
    return true;
}
