/* SPDX-License-Identifier: Apache-2.0 */
/* What a function is called, and where it stands. See heap.h for where it runs: no malloc, no
 * stdio, no locks.
 *
 * A SharedFunctionInfo is what all closures of one function have in common. Its name is a string,
 * or part of its ScopeInfo, whose parts are there or not as its flags say
 * (src/objects/scope-info.tq of V8). */
#include "preload/v8/function.h"

#include <string.h>

#include "preload/v8/heap.h"
#include "preload/v8/lines.h"
#include "preload/v8/property.h"
#include "preload/v8/receiver.h"
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
#define NAME_AMONG        2u /* first properties of a function */

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

/* A function to which a name was given (of a computed key, by defineProperty()) has it as a
 * property; others have an accessor that asks the SharedFunctionInfo. */
static uintptr_t own_name(struct lh_v8_walk *walk, uintptr_t function)
{
    uintptr_t value = lh_v8_property_named(walk, function, "name", NAME_AMONG);
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
}

static uintptr_t unwrap(struct lh_v8_walk *walk, uintptr_t shared)
{
    if (lh_v8_type(walk, shared) == walk->layout->at.type_wrapper)
        shared = lh_v8_field(walk, shared, WRAPPED_SHARED);
    return lh_v8_type(walk, shared) == walk->layout->at.type_shared ? shared : 0;
}

uintptr_t lh_v8_name_of(struct lh_v8_walk *walk, uintptr_t function)
{
    struct naming naming;
    const struct lh_v8_seen seen = {
        .function = function,
        .shared =
            unwrap(walk, lh_v8_field(walk, function, walk->layout->at.function_shared)),
    };
    if (seen.shared == 0)
        return 0;
    find_naming(walk, &seen, &naming);
    return naming.name;
}

/* What it is at, and what it was called on; where there is no room for that, the frame goes without.
 * The class is part of the name by which everybody knows one of V8's own: Array.map. */
static void store_about(struct lh_v8_walk *walk, const struct lh_v8_seen *seen, uintptr_t name,
                        struct lh_js_frame *frame)
{
    struct lh_v8_class of = lh_v8_class_of(walk, seen->receiver);
    uint16_t place;
    if (seen->kind == LH_JS_BUILTIN) {
        if (name != 0 && lh_v8_store_member(walk, of, name, LH_V8_NAME_MAX, &place))
            frame->function = place;
    } else if (of.name != 0 && of.name != name &&
               lh_v8_store_string(walk, of.name, LH_V8_BEGIN, LH_V8_NAME_MAX, &frame->of_class)) {
        frame->has_class = 1;
    }
    if (seen->about.kind == LH_JS_ABOUT_REGEXP &&
        !lh_v8_store_string(walk, seen->about.text, LH_V8_BEGIN, LH_V8_REGEXP_MAX, &frame->text))
        return;
    frame->about = (uint8_t)seen->about.kind;
    frame->amount = seen->about.amount;
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
    struct lh_v8_seen unwrapped = *seen;
    unwrapped.shared = unwrap(walk, seen->shared);
    if (unwrapped.shared == 0)
        return true; /* it is none that can be named */
    if (record->js_count >= walk->most) {
        record->js_cut = 1;
        return false;
    }
    find_naming(walk, &unwrapped, &naming);
    uintptr_t script = script_of(walk, unwrapped.shared);
    uint32_t strings = record->strings_length;
    *frame = (struct lh_js_frame){.fp = seen->fp, .kind = (uint8_t)seen->kind};
    if (!store_names(walk, &naming, script, frame)) {
        record->strings_length = strings;
        record->js_cut = 1;
        return false;
    }
    store_about(walk, seen, naming.name, frame);
    if (script != 0)
        place(walk, &unwrapped, &naming, script, frame);
    record->js_count++;
    return true;
}
