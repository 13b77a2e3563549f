/* SPDX-License-Identifier: Apache-2.0 */
/* A function that has been found on a stack, with its name and its place, in a record. See heap.h
 * for where it runs: no malloc, no stdio, no locks. */
#include "preload/v8/function.h"

#include "common/text.h"
#include "preload/v8/heap.h"
#include "preload/v8/lines.h"
#include "preload/v8/naming.h"
#include "preload/v8/receiver.h"
#include "preload/v8/strings.h"

#define DEBUG_INFO_SCRIPT 24 /* up to 11: it stands in the place of the script */

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
                  const struct lh_v8_naming *naming, uintptr_t script, struct lh_js_frame *frame)
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

/* What it is at, and what it was called on; where there is no room for that, the frame goes
 * without. The class is part of the name by which everybody knows one of V8's own: Array.map. */
static void store_about(struct lh_v8_walk *walk, const struct lh_v8_seen *seen, uintptr_t name,
                        struct lh_js_frame *frame)
{
    bool is_builtin = seen->kind == LH_JS_BUILTIN;
    bool is_nodes = is_nodes_own(walk->record->strings + frame->script);
    struct lh_v8_class of = {0, NULL};
    uint16_t place;
    /* Not of Node's many frames, which nobody looks at; nor where a deep stack needs the reads. */
    if (!is_nodes && (is_builtin || walk->reads_left > LH_V8_READS_MAX / 2))
        of = lh_v8_class_of(walk, seen->receiver, is_builtin);
    if (is_builtin) {
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
static bool store_names(struct lh_v8_walk *walk, const struct lh_v8_naming *naming,
                        uintptr_t script, struct lh_js_frame *frame)
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
    struct lh_v8_naming naming;
    struct lh_v8_seen unwrapped = *seen;
    unwrapped.shared = lh_v8_unwrap(walk, seen->shared);
    if (unwrapped.shared == 0)
        return true; /* it is none that can be named */
    if (record->js_count >= walk->most) {
        record->js_cut = 1;
        return false;
    }
    lh_v8_naming_find(walk, unwrapped.shared, seen->function, &naming);
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
