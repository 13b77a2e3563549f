/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over a thread's JavaScript frames. See heap.h for where it runs: no malloc, no stdio, no
 * locks.
 *
 * All code of V8's keeps a frame pointer. Below it stands, in a frame of JavaScript, a heap object
 * (the context, whose lowest bit is 1), in any other what type of frame that is. Code that leaves
 * JavaScript notes its frame in the isolate; code that enters it again keeps what was noted there
 * before, so that the walk goes on behind what is not V8's (src/execution/frame-constants.h). */
#include "preload/v8/walk.h"

#include <string.h>

#include "preload/v8/about.h"
#include "preload/v8/ahead.h"
#include "preload/v8/code.h"
#include "preload/v8/entry_frame.h"
#include "preload/v8/function.h"
#include "preload/v8/heap.h"
#include "preload/v8/inlined.h"
#include "preload/v8/tables.h"

#define FRAMES_MAX    2000          /* that are looked at in a walk */
#define STACK_MAX     (256UL << 20) /* bytes of the largest stack */
#define SAVED_EXIT    (LH_V8_SAVED_EXIT_WORDS * LH_V8_WORD)
#define TYPE_OF_FRAME (-LH_V8_WORD)

/* What a function was called with, from its frame on: its `this`, then its arguments. One that is
 * written in C++ has other things in between. */
#define CALLED_WITH      16
#define BUILTIN_FUNCTION 24

/* Where V8's own code keeps what it works on: words below its frame. */
#define KEPT_WORDS 14

/* The words of a frame, from its lowest one on; the last two are the caller's frame and where it
 * goes on. */
enum { SLOT_OFFSET, SLOT_BYTECODES, SLOT_COUNT, SLOT_FUNCTION, SLOT_TYPE, SLOT_FP, SLOT_PC, SLOTS };
#define SLOTS_BELOW (SLOT_FP * LH_V8_WORD)

struct frame {
    uintptr_t fp;
    uintptr_t pc; /* where it stands; 0: not known */
    uintptr_t slots[SLOTS];
    uintptr_t called_from; /* of the innermost one: what it may return to; 0: not known */
};

/* Was it called by `new`? Then its `this` is what it is to make. */
static bool is_constructor(struct lh_v8_walk *walk, const struct frame *frame)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t type = lh_v8_word(walk, frame->slots[SLOT_FP] + (uintptr_t)TYPE_OF_FRAME);
    return (type & 1) == 0 && ((int64_t)(type >> 1) == at->frame_construct ||
                               (int64_t)(type >> 1) == at->frame_fast_construct);
}

/* What is known of a frame before it is asked where it stands. `with` is where it has what it was
 * called with. */
static struct lh_v8_seen begin_seen(struct lh_v8_walk *walk, const struct frame *frame,
                                    enum lh_js_kind kind, uintptr_t with)
{
    uintptr_t function = frame->slots[SLOT_FUNCTION];
    struct lh_v8_seen seen = {
        .kind = kind,
        .fp = frame->fp,
        .function = function,
        .shared = lh_v8_field(walk, function, walk->layout->at.function_shared),
    };
    uintptr_t receiver = lh_v8_word(walk, frame->fp + with);
    if (!is_constructor(walk, frame))
        seen.receiver = receiver;
    if (kind == LH_JS_BUILTIN)
        seen.about = lh_v8_about_of(walk, function, receiver,
                                    lh_v8_word(walk, frame->fp + with + LH_V8_WORD));
    if (seen.about.kind == LH_JS_ABOUT_NOTHING && walk->regexp != 0)
        seen.about = lh_v8_about_regexp(walk, walk->regexp);
    walk->regexp = 0;
    return seen;
}

static bool store(struct lh_v8_walk *walk, const struct frame *frame, enum lh_js_kind kind,
                  struct lh_v8_position position)
{
    struct lh_v8_seen seen = begin_seen(walk, frame, kind, CALLED_WITH);
    seen.position = position;
    return lh_v8_store(walk, &seen);
}

/* The interpreter keeps the place in a slot of its frame. Optimised code that has taken over such a
 * frame in a loop leaves it there, where it is out of date. */
static bool has_offset(const struct lh_v8_walk *walk, const struct frame *frame)
{
    uintptr_t slot = frame->slots[SLOT_OFFSET];
    return lh_v8_is_smi(slot) && lh_v8_smi(slot) >= walk->layout->at.bytecodes_data - 1;
}

/* What it calls may be V8's own and have no frame. */
static bool find_code(struct lh_v8_walk *walk, struct frame *frame, struct lh_v8_code *code)
{
    uintptr_t function = frame->slots[SLOT_FUNCTION];
    if (lh_v8_code_at(walk, function, frame->pc, code))
        return true;
    if (frame->called_from == 0 || !lh_v8_code_at(walk, function, frame->called_from, code))
        return false;
    frame->pc = frame->called_from;
    return true;
}

static bool store_interpreted(struct lh_v8_walk *walk, const struct frame *frame)
{
    struct lh_v8_position position = {0, 0};
    int64_t offset =
        (int64_t)lh_v8_smi(frame->slots[SLOT_OFFSET]) - (walk->layout->at.bytecodes_data - 1);
    if (!lh_v8_position_in_bytecodes(walk, frame->slots[SLOT_BYTECODES], offset, &position))
        position.offset = 0;
    return store(walk, frame, LH_JS_INTERPRETED, position);
}

static bool store_baseline(struct lh_v8_walk *walk, const struct frame *frame,
                           const struct lh_v8_code *code)
{
    struct lh_v8_position position = {0, 0};
    uintptr_t bytecodes = frame->slots[SLOT_BYTECODES];
    int64_t offset;
    if (code == NULL ||
        !lh_v8_baseline_offset(walk, code->code, bytecodes, frame->pc - code->start, &offset) ||
        !lh_v8_position_in_bytecodes(walk, bytecodes, offset, &position))
        position.offset = 0;
    return store(walk, frame, LH_JS_BASELINE, position);
}

static bool store_script(struct lh_v8_walk *walk, struct frame *frame)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t function = frame->slots[SLOT_FUNCTION];
    struct lh_v8_code code;
    if (!lh_v8_is_function(walk, function))
        return true;
    uintptr_t shared = lh_v8_field(walk, function, at->function_shared);
    if (lh_v8_is_smi(lh_v8_field(walk, shared, LH_V8_WORD))) /* the number of a builtin */
        return store(walk, frame, LH_JS_BUILTIN, (struct lh_v8_position){0, 0});
    bool has_bytecodes = lh_v8_type(walk, frame->slots[SLOT_BYTECODES]) == at->type_bytecodes;
    bool is_interpreted = has_bytecodes && has_offset(walk, frame);
    bool has_code =
        !(is_interpreted && lh_v8_is_dispatch(walk, frame->pc)) && find_code(walk, frame, &code);
    if (is_interpreted && !has_code)
        return store_interpreted(walk, frame);
    if (has_bytecodes && (!has_code || code.kind == at->kind_baseline))
        return store_baseline(walk, frame, has_code ? &code : NULL);
    if (!has_code || code.kind <= at->kind_baseline)
        return store(walk, frame, LH_JS_UNKNOWN, (struct lh_v8_position){0, 0});
    const struct lh_v8_seen seen =
        begin_seen(walk, frame, code.kind == at->kind_baseline + 1 ? LH_JS_MAGLEV : LH_JS_TURBOFAN,
                   CALLED_WITH);
    return lh_v8_store_optimised(walk, &code, frame->pc, &seen);
}

/* A builtin that is written in C++. */
static bool store_builtin(struct lh_v8_walk *walk, struct frame *frame)
{
    frame->slots[SLOT_FUNCTION] = lh_v8_word(walk, frame->fp + BUILTIN_FUNCTION);
    if (!lh_v8_is_function(walk, frame->slots[SLOT_FUNCTION]))
        return true;
    const struct lh_v8_seen seen =
        begin_seen(walk, frame, LH_JS_BUILTIN, (uintptr_t)walk->layout->at.builtin_receiver);
    return lh_v8_store(walk, &seen);
}

/* V8's own code in which a regular expression is matched, inside of the first function: an
 * optimised one calls it without a function of its own. */
static void look_for_regexp(struct lh_v8_walk *walk, const struct frame *frame, bool is_exit)
{
    uintptr_t kept = frame->fp - (uintptr_t)((KEPT_WORDS + 1) * LH_V8_WORD);
    if (walk->regexp == 0 && walk->record->js_count == 0)
        walk->regexp = is_exit ? lh_v8_regexp_called(walk, frame->fp + CALLED_WITH)
                               : lh_v8_regexp_among(walk, kept, KEPT_WORDS);
}

static bool read_slots(struct lh_v8_walk *walk, struct frame *frame)
{
    uintptr_t from = frame->fp - SLOTS_BELOW;
    lh_v8_foresee(walk, from);
    return frame->fp % LH_V8_WORD == 0 &&
           lh_v8_read(walk, frame->slots, from, sizeof(frame->slots));
}

/* What type of frame it is; negative: one of JavaScript. */
static int64_t type_of(const struct frame *frame)
{
    uintptr_t word = frame->slots[SLOT_TYPE];
    return (word & 1) == 0 ? (int64_t)(word >> 1) : -1;
}

static bool is_entry(const struct lh_v8_walk *walk, int64_t type)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    return type == at->frame_entry || type == at->frame_construct_entry;
}

static uintptr_t caller_of(struct lh_v8_walk *walk, const struct frame *frame)
{
    return is_entry(walk, type_of(frame)) ? lh_v8_word(walk, frame->fp + (uintptr_t)SAVED_EXIT)
                                          : frame->slots[SLOT_FP];
}

/* The frames that will be taken from this one on: what they are made of is fetched together. */
static void look_ahead(struct lh_v8_walk *walk, struct frame frame, uintptr_t lowest)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FRAMES_MAX && count < walk->most; i++) {
        if (frame.fp - lowest >= STACK_MAX || !read_slots(walk, &frame))
            break;
        if (type_of(&frame) < 0)
            walk->scratch->ahead[count++] = (struct lh_v8_ahead){
                .function = frame.slots[SLOT_FUNCTION], .bytecodes = frame.slots[SLOT_BYTECODES]};
        uintptr_t next = caller_of(walk, &frame);
        if (next <= frame.fp)
            break;
        frame.fp = next;
    }
    lh_v8_look_ahead(walk, count);
}

/* Takes the frame, and goes to the next one. False: that was the last. */
static bool step(struct lh_v8_walk *walk, struct frame *frame)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    if (!read_slots(walk, frame))
        return false;
    uintptr_t fp = frame->fp;
    int64_t type = type_of(frame);
    uintptr_t next = caller_of(walk, frame);
    uintptr_t pc = is_entry(walk, type) ? 0 : frame->slots[SLOT_PC];
    bool has_room = true;
    if (type < 0) {
        has_room = store_script(walk, frame);
    } else if (type == at->frame_builtin_exit) {
        has_room = store_builtin(walk, frame);
    } else if (type == at->frame_exit || type == at->frame_stub ||
               type == at->frame_stub_in_context) {
        look_for_regexp(walk, frame, type == at->frame_exit);
    }
    *frame = (struct frame){.fp = next, .pc = pc};
    return has_room && next > fp;
}

/* Where the isolate says that JavaScript was left, or else where the thread was interrupted. */
static bool find_first(struct lh_v8_walk *walk, const struct lh_v8_thread *thread,
                       struct frame *frame)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t fast[2] = {0, 0}; /* pc and frame of a call that leaves no frame of its own */
    *frame = (struct frame){.fp = lh_v8_word(walk, thread->isolate + (uintptr_t)at->exit_frame)};
    if (frame->fp != 0)
        return true;
    if (at->fast_frame != 0 &&
        lh_v8_read(walk, fast, thread->isolate + (uintptr_t)at->fast_frame - LH_V8_WORD,
                   sizeof(fast)) &&
        fast[1] != 0) {
        *frame = (struct frame){.fp = fast[1], .pc = fast[0]};
        return true;
    }
    *frame = (struct frame){.fp = thread->fp, .pc = thread->pc};
    if (thread->pc != 0)
        frame->called_from = thread->link != 0 ? thread->link : lh_v8_word(walk, thread->sp);
    return thread->pc != 0 && thread->fp != 0;
}

void lh_v8_walk(struct lh_v8_walk *walk, const struct lh_v8_thread *thread)
{
    struct frame frame;
    lh_v8_heap_begin(walk);
    if (thread->isolate == 0 || !find_first(walk, thread, &frame))
        return;
    uintptr_t lowest = thread->sp != 0 ? thread->sp : frame.fp;
    if (walk->view->store != NULL && walk->reads_left > LH_V8_READS_MAX / 2)
        look_ahead(walk, frame, lowest);
    for (uint32_t i = 0; i < FRAMES_MAX && frame.fp - lowest < STACK_MAX; i++)
        if (!step(walk, &frame))
            return;
}
