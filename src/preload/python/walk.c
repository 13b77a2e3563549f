/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over one thread's Python frames.
 *
 * Runs on the program's threads and on the watchdog, while the interpreter may be running. No
 * malloc, no stdio, no libc that may set errno. No pointer is followed but through `view`, every
 * object is taken for what it should be only when its type says so, and the number of steps is
 * bounded.
 *
 * An eval loop (_PyEval_EvalFrameDefault) runs a Python frame and, since 3.11, those that it calls
 * without C in between. An object in its C stack frame marks it: a _PyCFrame in 3.10 and 3.11, and
 * since 3.12 a frame of its own, a shim, below its outermost Python frame. Such an address is a
 * frame's `boundary`. 3.8 and 3.9 have nothing of the kind. */
#include "preload/python/walk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "preload/python/ahead.h"
#include "preload/python/frame.h"
#include "preload/python/lines.h"
#include "preload/python/names.h"
#include "preload/python/object.h"
#include "preload/python/states.h"
#include "preload/python/task.h"

#define INSTRUCTION_BYTES 2 /* _Py_CODEUNIT */

#define STEPS_PER_FRAME 4    /* a frame, and the shims that may stand between it and the next */
#define STEPS_SPARE     256  /* to find the eval loop of the last frame that was wanted */
#define STEPS_OUT       8000 /* to the outermost frame */
#define VISITS_MAX      1000

/* Where the frame's bytecode starts. Free-threaded builds since 3.14 have copies of it, the first
 * being the code object's own; 0: not known. */
static uintptr_t bytecode_of(const struct lh_python_walk *walk,
                             const struct lh_python_frame_read *frame,
                             const struct lh_python_code_read *code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    if (at->code_bytecode_copies == 0)
        return frame->code + at->code_bytecode;
    int64_t size = (int64_t)lh_python_word(walk, code->bytecode_copies);
    if (frame->bytecode_index < 0 || frame->bytecode_index >= size)
        return 0;
    return lh_python_word(walk, code->bytecode_copies +
                                    (1 + (uintptr_t)frame->bytecode_index) * sizeof(uintptr_t));
}

/* In bytes from the start of the bytecode, as line tables count. */
static int64_t instruction_offset(const struct lh_python_walk *walk,
                                  const struct lh_python_frame_read *frame,
                                  const struct lh_python_code_read *code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    if (at->frame_last_instruction != 0)
        return (int64_t)frame->last_instruction *
               (at->line_format == LH_PYTHON_LNOTAB ? 1 : INSTRUCTION_BYTES);
    uintptr_t start = bytecode_of(walk, frame, code);
    return start != 0 ? (int64_t)(frame->instruction - start) : INT64_MAX; /* beyond any table */
}

static uint32_t line_of(const struct lh_python_walk *walk, const struct lh_python_frame_read *frame,
                        const struct lh_python_code_read *code)
{
    const struct lh_python_layout *layout = walk->layout;
    uint8_t bytes[LH_PYTHON_HEADER_SPAN_MAX];
    uintptr_t type;
    int64_t length;
    if (lh_python_read(walk, bytes, code->line_table, layout->at.bytes_data) != 0)
        return 0;
    memcpy(&type, bytes + layout->at.object_type, sizeof(type));
    if (type != layout->bytes_type)
        return 0;
    memcpy(&length, bytes + layout->at.bytes_length, sizeof(length));
    if (length < 0)
        return 0;
    return lh_python_line(layout->at.line_format, &walk->view,
                          code->line_table + layout->at.bytes_data, (size_t)length,
                          code->first_line, instruction_offset(walk, frame, code));
}

/* _Py_InitCleanup (3.12 and 3.13) stands below an __init__ that was called without C in between. It
 * has one name for everything, and no line of its own, which no compiled code has. */
static bool is_init_cleanup(const struct lh_python_code_read *code)
{
    return code->first_line == 0 && code->filename == code->qualname;
}

static void close_eval_loop(struct lh_python_walk *walk, uintptr_t boundary)
{
    if (walk->open >= 0)
        walk->record->python[walk->open].boundary = boundary;
    walk->open = -1;
}

/* In 3.10 and 3.11 the chain of _PyCFrames goes along with the entry frames. */
static void leave_cframe(struct lh_python_walk *walk)
{
    close_eval_loop(walk, walk->cframe);
    if (walk->cframe == 0)
        return;
    lh_view_want_page(&walk->view, walk->cframe); /* others of them are near on the C stack */
    walk->cframe = lh_python_word(walk, walk->cframe + walk->layout->at.cframe_previous);
}

static int append(struct lh_python_walk *walk, uintptr_t address,
                  const struct lh_python_frame_read *frame)
{
    struct lh_record *record = walk->record;
    struct lh_python_frame *out = &record->python[record->python_count];
    uint32_t strings_length = record->strings_length;
    struct lh_python_code_read code;
    int error = lh_python_read_code(walk, frame->code, &code);
    if (error)
        return error;
    if (is_init_cleanup(&code))
        return 0;
    error = lh_python_store_name(walk, code.filename, &out->file);
    if (error == 0)
        error = lh_python_store_name(walk, code.qualname, &out->function);
    if (error) {
        record->strings_length = strings_length;
        return error;
    }
    out->line = line_of(walk, frame, &code);
    out->boundary = 0;
    walk->open = (int32_t)record->python_count;
    walk->left--;
    const struct lh_python_stepped stepped = {.frame = frame->is_coroutine ? address : 0,
                                              .generator = frame->generator,
                                              .index = record->python_count};
    record->python_count++;
    lh_python_task_note(walk, address, &stepped);
    return 0;
}

/* Takes one frame of the chain. Returns 0 to go on, anything else to end the walk. */
static int step(struct lh_python_walk *walk, uintptr_t address, uintptr_t *next)
{
    struct lh_python_frame_read frame;
    int error = lh_python_read_frame(walk, address, &frame);
    if (error)
        return error;
    *next = frame.previous;
    if (frame.is_shim) {
        close_eval_loop(walk, address);
    } else if (walk->left > 0) {
        error = append(walk, address, &frame);
        if (error)
            return error;
    }
    if (frame.is_entry)
        leave_cframe(walk);
    else if (walk->left == 0 && walk->cframe != 0)
        close_eval_loop(walk, walk->cframe);
    return walk->left == 0 && walk->open < 0;
}

bool lh_python_walk_outermost(struct lh_python_walk *walk, uintptr_t thread_state,
                              struct lh_python_outermost *outermost)
{
    struct lh_python_frame_read frame = {0};
    struct lh_python_code_read code;
    uintptr_t last = 0;
    uintptr_t last_code = 0;
    uintptr_t address = lh_python_first_frame(walk, thread_state);
    for (int i = 0; i < STEPS_OUT && address != 0; i++, address = frame.previous) {
        if (lh_python_read_frame(walk, address, &frame) != 0)
            return false;
        if (frame.is_shim)
            continue;
        last = address;
        last_code = frame.code;
    }
    if (address != 0 || last == 0 || lh_python_read_code(walk, last_code, &code) != 0)
        return false;
    uintptr_t local = lh_python_word(walk, last + walk->layout->at.frame_locals);
    *outermost = (struct lh_python_outermost){code.qualname, local & ~LH_PYTHON_REFERENCE_BITS};
    return true;
}

bool lh_python_walk_look(const struct lh_python_walk *walk, uintptr_t frame,
                         struct lh_python_step *step)
{
    struct lh_python_frame_read read;
    struct lh_python_code_read code;
    if (lh_python_read_frame(walk, frame, &read) != 0 || read.is_shim ||
        lh_python_read_code(walk, read.code, &code) != 0)
        return false;
    *step = (struct lh_python_step){frame, read.code, code.filename, code.qualname};
    return true;
}

bool lh_python_walk_take(struct lh_python_walk *walk, uintptr_t address)
{
    struct lh_python_frame_read frame;
    return walk->record->python_count < LH_PYTHON_FRAMES &&
           lh_python_read_frame(walk, address, &frame) == 0 && append(walk, address, &frame) == 0;
}

bool lh_python_walk_out(struct lh_python_walk *walk, uintptr_t thread_state, lh_python_visit *visit,
                        void *context)
{
    struct lh_python_frame_read frame = {0};
    struct lh_python_code_read code;
    uintptr_t address = lh_python_first_frame(walk, thread_state);
    lh_python_look_ahead(walk, address);
    for (int i = 0; i < VISITS_MAX && address != 0; i++, address = frame.previous) {
        if (lh_python_read_frame(walk, address, &frame) != 0)
            return false;
        if (frame.is_shim)
            continue;
        if (lh_python_read_code(walk, frame.code, &code) != 0)
            return false;
        const struct lh_python_step step = {
            .frame = address,
            .code = frame.code,
            .filename = code.filename,
            .qualname = code.qualname,
            .line_table = code.line_table,
            .first_line = code.first_line,
        };
        if (!visit(walk, &step, context))
            return true;
    }
    return address == 0;
}

bool lh_python_walk_is_below(struct lh_python_walk *walk, uintptr_t thread_state, uintptr_t wanted,
                             uintptr_t code)
{
    struct lh_python_frame_read frame;
    uintptr_t address = lh_python_first_frame(walk, thread_state);
    for (int i = 0; i < VISITS_MAX && address != 0; i++, address = frame.previous) {
        lh_python_want_frame(walk, address);
        if (lh_python_read_frame(walk, address, &frame) != 0)
            return false;
        if (address == wanted)
            return frame.code == code;
    }
    return false;
}

int64_t lh_python_walk_instruction(const struct lh_python_walk *walk,
                                   const struct lh_python_step *step)
{
    struct lh_python_frame_read frame;
    struct lh_python_code_read code;
    if (lh_python_read_frame(walk, step->frame, &frame) != 0 || frame.code != step->code ||
        lh_python_read_code(walk, step->code, &code) != 0)
        return -1;
    int64_t offset = instruction_offset(walk, &frame, &code);
    return offset >= 0 && offset < INT32_MAX ? offset : -1;
}

uint32_t lh_python_walk_line(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    struct lh_python_frame_read frame;
    struct lh_python_code_read code;
    if (lh_python_read_frame(walk, step->frame, &frame) != 0 || frame.code != step->code ||
        lh_python_read_code(walk, step->code, &code) != 0)
        return 0;
    return line_of(walk, &frame, &code);
}

/* Up to 3.10 a frame is an object: the first word of one that is gone, once the number of
 * references, is 0 or a pointer. */
bool lh_python_walk_frame_lives(const struct lh_python_walk *walk, uintptr_t frame, uintptr_t code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t references = lh_python_has_loop_per_frame(at)
                               ? lh_python_word(walk, frame + at->object_type - sizeof(frame))
                               : 1;
    uintptr_t code_now = lh_python_word(walk, frame + at->frame_code) & ~LH_PYTHON_REFERENCE_BITS;
    return references - 1 < INT32_MAX && code_now == code;
}

/* Returns false when the walk had to be given up. */
static bool walk_state(struct lh_python_walk *walk, uintptr_t thread_state)
{
    int ended = 0;
    uint32_t steps = walk->left * STEPS_PER_FRAME + STEPS_SPARE;
    uintptr_t frame = walk->left == 0 ? 0 : lh_python_first_frame(walk, thread_state);
    walk->open = -1;
    lh_python_look_ahead(walk, frame);
    while (frame != 0 && steps-- > 0 && ended == 0)
        ended = step(walk, frame, &frame);
    if (frame != 0 && (walk->left == 0 || ended == -ENOSPC))
        walk->record->python_cut = 1;
    return frame == 0 && ended == 0;
}

void lh_python_walk(const struct lh_python_layout *layout, const struct lh_view *view,
                    uintptr_t thread_state, uint32_t most, struct lh_record *record)
{
    struct lh_python_walk walk = {.view = *view, .layout = layout, .record = record};
    uintptr_t states[LH_PYTHON_STATES_MAX];
    if (thread_state == 0 || record->python_count >= LH_PYTHON_FRAMES ||
        record->strings_length > LH_STRING_BYTES)
        return;
    walk.left = LH_PYTHON_FRAMES - record->python_count;
    if (walk.left > most)
        walk.left = most;
    if (lh_python_has_loop_per_frame(&layout->at) && layout->at.thread_cframe == 0)
        record->python_loop = layout->eval_loop;
    uint32_t count = lh_python_states(layout, view, thread_state, states);
    for (uint32_t i = 0; i < count && walk_state(&walk, states[i]); i++)
        ; /* no frames beyond a gap */
    lh_python_task_store(&walk, states, count);
}
