/* The asyncio task that a thread runs.
 *
 * Runs on the program's threads and on the watchdog, like the walk it belongs to: no malloc, no
 * stdio, no libc that may set errno; every object is what it should be only when its type says so.
 *
 * Since 3.14 PyThreadState points at the task. Before, the event loop is in asyncio.Handle._run,
 * whose handle has a callback that C's task made of itself: TaskStepMethWrapper for a first step,
 * and for a later one TaskWakeupMethWrapper (3.8, 3.9) or a built-in method task_wakeup
 * (Modules/_asynciomodule.c). Loops with handles of their own, as uvloop's, are not seen there. */
#include "preload/python_task.h"

#include <stdbool.h>
#include <string.h>

#include "preload/python_object.h"

#define BASES_MAX 8 /* a task's class may be derived from asyncio.Task */

/* Words after the header of an object. */
enum { HANDLE_CALLBACK = 1 }; /* __slots__ are sorted, and this is the second */
enum { METHOD_DEFINITION = 0, METHOD_SELF = 1 };
enum { INT_TAG = 0, INT_DIGITS = 1 };

/* PyLongObject of 3.12 and later: sign in the tag's low bits, 0 being positive; then the number of
 * digits, of 30 bits each in an int. */
#define INT_SIGN(tag)   ((tag)&3)
#define INT_LENGTH(tag) ((tag) >> 3)
#define INT_DIGIT_BITS  30

static bool is_task(const struct lh_python_walk *walk, uintptr_t object)
{
    uintptr_t type = object != 0 ? lh_python_type(walk, object) : 0;
    for (int i = 0; type != 0 && i < BASES_MAX; i++) {
        if (lh_python_type_is(walk, type, "_asyncio.Task"))
            return true;
        type = lh_python_member(walk, type, LH_PYTHON_TYPE_BASE * LH_PYTHON_WORD);
    }
    return false;
}

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

void lh_python_task_note(struct lh_python_walk *walk, uintptr_t frame)
{
    const struct lh_record *record = walk->record;
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

static uintptr_t running_task(const struct lh_python_walk *walk, const uintptr_t *states,
                              uint32_t count)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t task = 0;
    for (uint32_t i = 0; at->thread_task != 0 && task == 0 && i < count; i++)
        task = lh_python_word(walk, states[i] + at->thread_task);
    if (task != 0)
        return task;
    if (walk->handle_frame == 0 || walk->is_eager)
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
    if (!lh_python_type_is(walk, type, "int"))
        return false;
    uint64_t tag = lh_python_member(walk, name, INT_TAG * LH_PYTHON_WORD);
    uint64_t digits = lh_python_member(walk, name, INT_DIGITS * LH_PYTHON_WORD);
    if (INT_SIGN(tag) != 0 || INT_LENGTH(tag) < 1 || INT_LENGTH(tag) > 2)
        return false;
    uint64_t number = digits & UINT32_MAX;
    if (INT_LENGTH(tag) == 2)
        number |= digits >> 32 << INT_DIGIT_BITS;
    return store_number(walk->record, number, offset);
}

static bool store_coroutine(struct lh_python_walk *walk, uintptr_t coroutine, uint16_t *offset)
{
    uintptr_t name = lh_python_member(walk, coroutine, walk->layout->at.coroutine_qualname);
    return lh_python_type_is(walk, lh_python_type(walk, coroutine), "coroutine") &&
           lh_python_store_name(walk, name, offset) == 0;
}

void lh_python_task_store(struct lh_python_walk *walk, const uintptr_t *states, uint32_t count)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    struct lh_python_task *out = &walk->record->task;
    *out = (struct lh_python_task){0};
    if (at->task_name == 0)
        return;
    uintptr_t task = running_task(walk, states, count);
    if (!is_task(walk, task))
        return;
    out->has_name = store_name(walk, lh_python_member(walk, task, at->task_name), &out->name);
    out->has_coroutine =
        store_coroutine(walk, lh_python_member(walk, task, at->task_coroutine), &out->coroutine);
}
