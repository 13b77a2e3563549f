/* SPDX-License-Identifier: Apache-2.0 */
/* The asyncio task that a thread runs.
 *
 * Runs on the program's threads and on the watchdog, like the walk it belongs to: no malloc, no
 * stdio, no libc that may set errno; every object is what it should be only when its type says so.
 *
 * Since 3.14 PyThreadState points at the task. Before, the event loop is in asyncio.Handle._run,
 * whose handle has a callback that C's task made of itself: TaskStepMethWrapper for a first step,
 * and for a later one TaskWakeupMethWrapper (3.8, 3.9) or a built-in method task_wakeup
 * (Modules/_asynciomodule.c). Loops with handles of their own, as uvloop's, are not seen there:
 * then it is on the C stack (task_on_stack.c). */
#include "preload/python/task.h"

#include <stdbool.h>
#include <string.h>

#include "preload/python/names.h"
#include "preload/python/object.h"
#include "preload/python/task_on_stack.h"

/* Words after the header of an object. */
enum { HANDLE_CALLBACK = 1 }; /* __slots__ are sorted, and this is the second */
enum { METHOD_DEFINITION = 0, METHOD_SELF = 1 };

/* What asyncio calls for the next step of a task holds the task. */
static uintptr_t task_of_callback(const struct lh_python_walk *walk, uintptr_t callback)
{
    static const char *const wrappers[] = {"TaskStepMethWrapper", "_asyncio.TaskStepMethWrapper",
                                           "TaskWakeupMethWrapper"};
    uintptr_t type = lh_python_type(walk, callback);
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
        if (lh_python_type_is(walk, type, wrappers[i]))
            return lh_python_member(walk, callback, 0);
    if (!lh_python_type_is(walk, type, "builtin_function_or_method"))
        return 0;
    uintptr_t definition = lh_python_member(walk, callback, METHOD_DEFINITION * LH_PYTHON_WORD);
    return lh_python_text_is(walk, lh_python_word(walk, definition), "task_wakeup")
               ? lh_python_member(walk, callback, METHOD_SELF * LH_PYTHON_WORD)
               : 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* The frame of a coroutine that awaits the one before it, or is not awaited itself. */
static void note_stepped(struct lh_python_walk *walk, const struct lh_python_stepped *stepped)
{
    struct lh_python_stepped *last = &walk->stepped[walk->stepped_count];
    walk->record->task.in_coroutine |= stepped->frame != 0;
    if (stepped->frame != 0)
        *last = *stepped;
    else if (last->frame != 0 && walk->stepped_count < LH_PYTHON_STEPPED_MAX - 1)
        walk->stepped_count++;
}

void lh_python_task_note(struct lh_python_walk *walk, uintptr_t frame,
                         const struct lh_python_stepped *stepped)
{
    const struct lh_record *record = walk->record;
    note_stepped(walk, stepped);
    const struct lh_python_frame *named = &record->python[record->python_count - 1];
    const char *function = record->strings + named->function;
    const char *file = record->strings + named->file;
    if (walk->layout->at.thread_task != 0 || walk->handle_frame != 0)
        return;
    /* An eager task (3.12) runs inside the step of the task that makes it. */
    if (strcmp(function, "create_eager_task_factory.<locals>.factory") == 0)
        walk->is_eager = true;
    bool runs = strcmp(function, "Handle._run") == 0 || strcmp(function, "_run") == 0;
    if (runs && ends_with(file, "/asyncio/events.py"))
        walk->handle_frame = frame;
}

/* The name's place is the word after the coroutine's in every version. Where that is differs by a
 * word between releases of one minor version too (3.10.4 and 3.10.13), so it is where a coroutine
 * is found. */
uintptr_t lh_python_task_place(const struct lh_python_walk *walk, uintptr_t task)
{
    const uintptr_t expected = walk->layout->at.task_coroutine;
    const uintptr_t places[] = {expected, expected - LH_PYTHON_WORD, expected + LH_PYTHON_WORD};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uintptr_t member = lh_python_member(walk, task, places[i]);
        if (lh_python_type_is(walk, lh_python_type(walk, member), "coroutine"))
            return places[i];
    }
    return expected;
}

static uintptr_t running_task(const struct lh_python_walk *walk, const uintptr_t *states,
                              uint32_t count)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t task = 0;
    for (uint32_t i = 0; at->thread_task != 0 && task == 0 && i < count; i++)
        task = lh_python_word(walk, states[i] + at->thread_task);
    if (task != 0)
        return task;
    if (walk->handle_frame == 0) {
        for (uint32_t i = 0; at->thread_task == 0 && task == 0 && i < LH_PYTHON_STEPPED_MAX; i++)
            if (walk->stepped[i].frame != 0)
                task = lh_python_task_on_stack(walk, &walk->stepped[i]);
        return task;
    }
    if (walk->is_eager)
        return 0;
    uintptr_t handle = lh_python_word(walk, walk->handle_frame + at->frame_locals);
    return task_of_callback(walk, lh_python_member(walk, handle, HANDLE_CALLBACK * LH_PYTHON_WORD));
}

/* "Task-7" for 7: what Task.get_name() makes of an int. */
static bool store_number(struct lh_record *record, uint64_t number, uint16_t *offset)
{
    static const char prefix[] = "Task-";
    char digits[24];
    size_t first = sizeof(digits);
    digits[--first] = '\0';
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    size_t size = sizeof(digits) - first;
    if (record->strings_length + sizeof(prefix) - 1 + size > LH_STRING_BYTES)
        return false;
    *offset = (uint16_t)record->strings_length;
    char *to = record->strings + record->strings_length;
    memcpy(to, prefix, sizeof(prefix) - 1);
    memcpy(to + sizeof(prefix) - 1, digits + first, size);
    record->strings_length += (uint32_t)(sizeof(prefix) - 1 + size);
    return true;
}

static bool store_name(struct lh_python_walk *walk, uintptr_t name, uint16_t *offset)
{
    uintptr_t type = lh_python_type(walk, name);
    if (type == walk->layout->string_type)
        return lh_python_store_name(walk, name, offset) == 0;
    uint64_t number;
    return lh_python_number(walk, name, &number) && number > 0 &&
           store_number(walk->record, number, offset);
}

uintptr_t lh_python_coroutine_name(const struct lh_python_walk *walk, uintptr_t object)
{
    if (walk->layout->at.task_coroutine == 0 || object == 0)
        return 0;
    if (lh_python_is_a(walk, object, LH_PYTHON_TASK))
        object = lh_python_member(walk, object, lh_python_task_place(walk, object));
    if (!lh_python_type_is(walk, lh_python_type(walk, object), "coroutine"))
        return 0;
    return lh_python_member(walk, object, walk->layout->at.coroutine_qualname);
}

static bool store_coroutine(struct lh_python_walk *walk, uintptr_t coroutine, uint16_t *offset)
{
    return lh_python_store_name(walk, lh_python_coroutine_name(walk, coroutine), offset) == 0;
}

void lh_python_task_describe(struct lh_python_walk *walk, uintptr_t task)
{
    struct lh_python_task *out = &walk->record->task;
    uintptr_t place = lh_python_task_place(walk, task);
    uintptr_t name = lh_python_member(walk, task, place + LH_PYTHON_WORD);
    out->has_name = store_name(walk, name, &out->name);
    out->has_coroutine =
        store_coroutine(walk, lh_python_member(walk, task, place), &out->coroutine);
}

void lh_python_task_store(struct lh_python_walk *walk, const uintptr_t *states, uint32_t count)
{
    struct lh_python_task *out = &walk->record->task;
    *out = (struct lh_python_task){.in_coroutine = out->in_coroutine};
    if (walk->layout->at.task_coroutine == 0)
        return;
    uintptr_t task = running_task(walk, states, count);
    if (lh_python_is_a(walk, task, LH_PYTHON_TASK))
        lh_python_task_describe(walk, task);
}
