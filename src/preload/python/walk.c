/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over one thread's Python frames.
 *
 * Runs on the program's threads and on the watchdog, while the interpreter may be running. No
 * malloc, no stdio, no libc that may set errno. No pointer is followed but through `read`, every
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

#include "preload/python/lines.h"
#include "preload/python/names.h"
#include "preload/python/object.h"
#include "preload/python/states.h"
#include "preload/python/task.h"

/* Owners from here on are shims: FRAME_OWNED_BY_CSTACK in 3.12 and 3.13 (pycore_frame.h),
 * FRAME_OWNED_BY_INTERPRETER since (pycore_interpframe_structs.h). */
#define OWNER_SHIM 3

#define OWNER_GENERATOR                                                                            \
    1 /* FRAME_OWNED_BY_GENERATOR, since 3.11; before, f_gen is in front of f_lasti */

/* Since 3.14 a reference has two bits of its own (pycore_stackref.h). No object is there anyway. */
#define REFERENCE_BITS ((uintptr_t)3)

#define INSTRUCTION_BYTES 2 /* _Py_CODEUNIT */

#define STEPS_PER_FRAME 4    /* a frame, and the shims that may stand between it and the next */
#define STEPS_SPARE     256  /* to find the eval loop of the last frame that was wanted */
#define STEPS_OUT       8000 /* to the outermost frame */
#define VISITS_MAX      1000

struct frame {
    uintptr_t previous;
    uintptr_t code;
    uintptr_t instruction;
    int32_t last_instruction;
    int32_t bytecode_index;
    uintptr_t generator; /* up to 3.10: whose frame it is */
    bool is_entry;
    bool is_shim;
    bool is_coroutine; /* or a generator's */
};

struct code {
    uintptr_t filename;
    uintptr_t qualname;
    uintptr_t line_table;
    uintptr_t bytecode_copies;
    int32_t first_line;
};

static uintptr_t word_at(const uint8_t *object, uint16_t offset)
{
    uintptr_t word;
    memcpy(&word, object + offset, sizeof(word));
    return word;
}

static int32_t int_at(const uint8_t *object, uint16_t offset)
{
    int32_t number;
    memcpy(&number, object + offset, sizeof(number));
    return number;
}

/* Up to 3.10 there is a C stack frame of the eval loop for each Python frame. */
static bool is_loop_per_frame(const struct lh_python_offsets *at)
{
    return at->frame_last_instruction != 0;
}

static int read_frame(const struct lh_python_walk *walk, uintptr_t address, struct frame *frame)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uint8_t bytes[LH_PYTHON_FRAME_SPAN_MAX];
    if (walk->read(bytes, address, at->frame_span) != 0)
        return -EFAULT;
    frame->previous = word_at(bytes, at->frame_previous);
    frame->code = word_at(bytes, at->frame_code) & ~REFERENCE_BITS;
    frame->instruction = word_at(bytes, at->frame_instruction);
    frame->last_instruction = int_at(bytes, at->frame_last_instruction);
    frame->bytecode_index = int_at(bytes, at->frame_bytecode_index);
    frame->is_entry =
        is_loop_per_frame(at) || (at->frame_is_entry != 0 && bytes[at->frame_is_entry] != 0);
    frame->is_shim = at->frame_owner != 0 && at->frame_is_entry == 0 &&
                     (int8_t)bytes[at->frame_owner] >= OWNER_SHIM;
    frame->generator =
        is_loop_per_frame(at) ? word_at(bytes, at->frame_last_instruction - LH_PYTHON_WORD) : 0;
    frame->is_coroutine =
        is_loop_per_frame(at) ? frame->generator != 0 : bytes[at->frame_owner] == OWNER_GENERATOR;
    return 0;
}

static int read_code(const struct lh_python_walk *walk, uintptr_t address, struct code *code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uint8_t bytes[LH_PYTHON_CODE_SPAN_MAX];
    if (walk->read(bytes, address, at->code_span) != 0)
        return -EFAULT;
    if (word_at(bytes, at->object_type) != walk->layout->code_type)
        return -EINVAL;
    code->filename = word_at(bytes, at->code_filename);
    code->qualname = word_at(bytes, at->code_qualname);
    code->line_table = word_at(bytes, at->code_line_table);
    code->bytecode_copies = word_at(bytes, at->code_bytecode_copies);
    code->first_line = int_at(bytes, at->code_first_line);
    return 0;
}

/* Where the frame's bytecode starts. Free-threaded builds since 3.14 have copies of it, the first
 * being the code object's own; 0: not known. */
static uintptr_t bytecode_of(const struct lh_python_walk *walk, const struct frame *frame,
                             const struct code *code)
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
static int64_t instruction_offset(const struct lh_python_walk *walk, const struct frame *frame,
                                  const struct code *code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    if (at->frame_last_instruction != 0)
        return (int64_t)frame->last_instruction *
               (at->line_format == LH_PYTHON_LNOTAB ? 1 : INSTRUCTION_BYTES);
    uintptr_t start = bytecode_of(walk, frame, code);
    return start != 0 ? (int64_t)(frame->instruction - start) : INT64_MAX; /* beyond any table */
}

static uint32_t line_of(const struct lh_python_walk *walk, const struct frame *frame,
                        const struct code *code)
{
    const struct lh_python_layout *layout = walk->layout;
    uint8_t bytes[LH_PYTHON_HEADER_SPAN_MAX];
    int64_t length;
    if (walk->read(bytes, code->line_table, layout->at.bytes_data) != 0 ||
        word_at(bytes, layout->at.object_type) != layout->bytes_type)
        return 0;
    memcpy(&length, bytes + layout->at.bytes_length, sizeof(length));
    if (length < 0)
        return 0;
    return lh_python_line(layout->at.line_format, walk->read,
                          code->line_table + layout->at.bytes_data, (size_t)length,
                          code->first_line, instruction_offset(walk, frame, code));
}

/* _Py_InitCleanup (3.12 and 3.13) stands below an __init__ that was called without C in between. It
 * has one name for everything, and no line of its own, which no compiled code has. */
static bool is_init_cleanup(const struct code *code)
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
    if (walk->cframe != 0)
        walk->cframe = lh_python_word(walk, walk->cframe + walk->layout->at.cframe_previous);
}

static int append(struct lh_python_walk *walk, uintptr_t address, const struct frame *frame)
{
    struct lh_record *record = walk->record;
    struct lh_python_frame *out = &record->python[record->python_count];
    uint32_t strings_length = record->strings_length;
    struct code code;
    int error = read_code(walk, frame->code, &code);
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
    struct frame frame;
    int error = read_frame(walk, address, &frame);
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

static uintptr_t first_frame(struct lh_python_walk *walk, uintptr_t thread_state)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t cframe =
        at->thread_cframe != 0 ? lh_python_word(walk, thread_state + at->thread_cframe) : 0;
    if (at->frame_owner == 0 || at->frame_is_entry != 0)
        walk->cframe = cframe;
    if (at->thread_frame != 0)
        return lh_python_word(walk, thread_state + at->thread_frame);
    return cframe == 0 ? 0 : lh_python_word(walk, cframe + at->cframe_frame);
}

bool lh_python_walk_outermost(struct lh_python_walk *walk, uintptr_t thread_state,
                              struct lh_python_outermost *outermost)
{
    struct frame frame = {0};
    struct code code;
    uintptr_t last = 0;
    uintptr_t last_code = 0;
    uintptr_t address = first_frame(walk, thread_state);
    for (int i = 0; i < STEPS_OUT && address != 0; i++, address = frame.previous) {
        if (read_frame(walk, address, &frame) != 0)
            return false;
        if (frame.is_shim)
            continue;
        last = address;
        last_code = frame.code;
    }
    if (address != 0 || last == 0 || read_code(walk, last_code, &code) != 0)
        return false;
    uintptr_t local = lh_python_word(walk, last + walk->layout->at.frame_locals);
    *outermost = (struct lh_python_outermost){code.qualname, local & ~REFERENCE_BITS};
    return true;
}

bool lh_python_walk_look(const struct lh_python_walk *walk, uintptr_t frame,
                         struct lh_python_step *step)
{
    struct frame read;
    struct code code;
    if (read_frame(walk, frame, &read) != 0 || read.is_shim ||
        read_code(walk, read.code, &code) != 0)
        return false;
    *step = (struct lh_python_step){frame, read.code, code.filename, code.qualname};
    return true;
}

bool lh_python_walk_take(struct lh_python_walk *walk, uintptr_t address)
{
    struct frame frame;
    return walk->record->python_count < LH_PYTHON_FRAMES &&
           read_frame(walk, address, &frame) == 0 && append(walk, address, &frame) == 0;
}

bool lh_python_walk_out(struct lh_python_walk *walk, uintptr_t thread_state, lh_python_visit *visit,
                        void *context)
{
    struct frame frame = {0};
    struct code code;
    uintptr_t address = first_frame(walk, thread_state);
    for (int i = 0; i < VISITS_MAX && address != 0; i++, address = frame.previous) {
        if (read_frame(walk, address, &frame) != 0)
            return false;
        if (frame.is_shim)
            continue;
        if (read_code(walk, frame.code, &code) != 0)
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

int64_t lh_python_walk_instruction(const struct lh_python_walk *walk,
                                   const struct lh_python_step *step)
{
    struct frame frame;
    struct code code;
    if (read_frame(walk, step->frame, &frame) != 0 || frame.code != step->code ||
        read_code(walk, step->code, &code) != 0)
        return -1;
    int64_t offset = instruction_offset(walk, &frame, &code);
    return offset >= 0 && offset < INT32_MAX ? offset : -1;
}

uint32_t lh_python_walk_line(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    struct frame frame;
    struct code code;
    if (read_frame(walk, step->frame, &frame) != 0 || frame.code != step->code ||
        read_code(walk, step->code, &code) != 0)
        return 0;
    return line_of(walk, &frame, &code);
}

/* Up to 3.10 a frame is an object: the first word of one that is gone, once the number of
 * references, is 0 or a pointer. */
bool lh_python_walk_frame_lives(const struct lh_python_walk *walk, uintptr_t frame, uintptr_t code)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t references =
        is_loop_per_frame(at) ? lh_python_word(walk, frame + at->object_type - sizeof(frame)) : 1;
    uintptr_t code_now = lh_python_word(walk, frame + at->frame_code) & ~REFERENCE_BITS;
    return references - 1 < INT32_MAX && code_now == code;
}

/* Returns false when the walk had to be given up. */
static bool walk_state(struct lh_python_walk *walk, uintptr_t thread_state)
{
    int ended = 0;
    uint32_t steps = walk->left * STEPS_PER_FRAME + STEPS_SPARE;
    uintptr_t frame = walk->left == 0 ? 0 : first_frame(walk, thread_state);
    walk->open = -1;
    while (frame != 0 && steps-- > 0 && ended == 0)
        ended = step(walk, frame, &frame);
    if (frame != 0 && (walk->left == 0 || ended == -ENOSPC))
        walk->record->python_cut = 1;
    return frame == 0 && ended == 0;
}

void lh_python_walk(const struct lh_python_layout *layout, lh_memory_read *read,
                    uintptr_t thread_state, uint32_t most, struct lh_record *record)
{
    struct lh_python_walk walk = {.read = read, .layout = layout, .record = record};
    uintptr_t states[LH_PYTHON_STATES_MAX];
    if (thread_state == 0 || record->python_count >= LH_PYTHON_FRAMES ||
        record->strings_length > LH_STRING_BYTES)
        return;
    walk.left = LH_PYTHON_FRAMES - record->python_count;
    if (walk.left > most)
        walk.left = most;
    if (is_loop_per_frame(&layout->at) && layout->at.thread_cframe == 0)
        record->python_loop = layout->eval_loop;
    uint32_t count = lh_python_states(layout, read, thread_state, states);
    for (uint32_t i = 0; i < count && walk_state(&walk, states[i]); i++)
        ; /* no frames beyond a gap */
    lh_python_task_store(&walk, states, count);
}
