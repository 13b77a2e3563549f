/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of optimised code. See heap.h for where it runs: no malloc, no stdio, no locks.
 *
 * Up to 12.4 the code's own table of positions says exactly where each function stands that was
 * inlined. Later it has, for a call in a loop, the loop's position: there the deoptimisation data
 * are asked first. */
#include "preload/v8/inlined.h"

#include "preload/v8/heap.h"
#include "preload/v8/tables.h"
#include "preload/v8/translation.h"

#define PLACE_BYTES 16 /* of InliningPosition: where it was inlined, which literal it is */

/* ---- by the translation ---- */

/* What the machine's frame was called on is that of the outermost function, and what is known to be
 * worked on, of the innermost. */
static bool store_translated(struct lh_v8_walk *walk, const struct lh_v8_frames *frames, uint32_t i,
                             const struct lh_v8_seen *frame)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    const struct lh_v8_inlined *inlined = &walk->scratch->inlined[i];
    bool is_function = lh_v8_is_function(walk, inlined->function);
    struct lh_v8_seen seen = {.kind = frame->kind, .fp = frame->fp};
    if (i == 0)
        seen.receiver = frame->receiver;
    if (i == frames->count - 1)
        seen.about = frame->about;
    seen.function = is_function ? inlined->function : 0;
    if (!lh_v8_inlined_has_bytecodes(inlined)) { /* a builtin: it goes by its function */
        if (!is_function)
            return true;
        seen.kind = LH_JS_BUILTIN;
        seen.shared = lh_v8_field(walk, inlined->function, at->function_shared);
        return lh_v8_store(walk, &seen);
    }
    uintptr_t bytecodes = lh_v8_literal(walk, frames->constants, inlined->bytecodes);
    seen.shared = lh_v8_literal(walk, frames->literals, inlined->shared);
    if (lh_v8_type(walk, bytecodes) == at->type_bytecodes &&
        !lh_v8_position_in_bytecodes(walk, bytecodes, inlined->offset, &seen.position))
        seen.position.offset = 0;
    return lh_v8_store(walk, &seen);
}

/* ---- by the code's table ---- */

struct place {
    int64_t packed;
    int32_t literal; /* negative: the function itself */
    int32_t unused;
};

static bool read_place(struct lh_v8_walk *walk, uintptr_t data, uint32_t number,
                       struct place *place)
{
    uintptr_t places = lh_v8_element(walk, data, walk->layout->at.deopt_positions);
    return lh_v8_is_object(places) && (int64_t)number < lh_v8_length(walk, places) / PLACE_BYTES &&
           lh_v8_read(walk, place,
                      places - 1 + LH_V8_ARRAY_HEADER + (uintptr_t)number * PLACE_BYTES,
                      sizeof(*place));
}

static bool find_position(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc,
                          struct lh_v8_position *position)
{
    uintptr_t table = lh_v8_field(walk, code->code, walk->layout->at.code_table);
    bool is_last;
    if (!walk->layout->has_positions ||
        !lh_v8_position_in_code(walk, table, (int64_t)(pc - code->start) - 1, position, &is_last))
        return false;
    uintptr_t back = is_last ? lh_v8_back_from(walk, code, pc) : pc;
    return back == pc || lh_v8_position_in_code(walk, table, (int64_t)(back - code->start) - 1,
                                                position, &is_last);
}

/* One that was inlined into another inlined one has the greater number. */
static bool store_positioned(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc,
                             const struct lh_v8_seen *frame)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    struct lh_v8_seen seen = *frame;
    struct place place;
    uintptr_t data = lh_v8_field(walk, code->code, at->code_deopt);
    uintptr_t literals = lh_v8_element(walk, data, at->deopt_literals);
    if (!find_position(walk, code, pc, &seen.position))
        return lh_v8_store(walk, frame);
    struct lh_v8_position position = seen.position;
    while (position.inlining != 0 && read_place(walk, data, position.inlining - 1, &place)) {
        seen.position = position;
        seen.shared =
            place.literal < 0 ? frame->shared : lh_v8_literal(walk, literals, place.literal);
        seen.function = 0;
        seen.receiver = 0;
        if (!lh_v8_store(walk, &seen))
            return false;
        seen.about = (struct lh_v8_about){.kind = LH_JS_ABOUT_NOTHING};
        struct lh_v8_position outer = lh_v8_position_of(place.packed);
        if (outer.inlining >= position.inlining)
            break;
        position = outer;
    }
    seen.shared = frame->shared;
    seen.function = frame->function;
    seen.receiver = frame->receiver;
    seen.position = position;
    return lh_v8_store(walk, &seen);
}

bool lh_v8_store_optimised(struct lh_v8_walk *walk, const struct lh_v8_code *code, uintptr_t pc,
                           const struct lh_v8_seen *frame)
{
    struct lh_v8_frames frames;
    lh_v8_translate(walk, code, pc, &frames);
    if (frames.count == 0)
        return store_positioned(walk, code, pc, frame);
    for (uint32_t i = frames.count; i-- > 0;)
        if (!store_translated(walk, &frames, i, frame))
            return false;
    return true;
}
