/* SPDX-License-Identifier: Apache-2.0 */
/* The task that steps a coroutine. See task_on_stack.h.
 *
 * Runs on the program's threads and on the watchdog, like the walk it belongs to: no malloc, no
 * stdio, no libc that may set errno.
 *
 * uvloop's handles are no Python, and up to 3.13 nothing that is easy to reach points at the task
 * that runs. But C's task_step_impl() (Modules/_asynciomodule.c) called the eval loop of the
 * coroutine, and goes on with its task when that returns: so it has the task in its own C stack
 * frame, or in a register that a function between them has saved in its own. All of these lie a
 * little further out than the eval loop's. A word that points at an object whose member for the
 * coroutine is this very coroutine can be nothing else. */
#include "preload/python/task_on_stack.h"

#include <string.h>

#include "preload/python/object.h"

#define WINDOW 1024u /* of the stack that is looked at; half of it has been enough so far */

#define LOWEST      65536u     /* nothing is mapped below (vm.mmap_min_addr) */
#define STACK_SPAN  (8u << 20) /* a word that points so near is one of the stack's own */
#define OBJECT_SPAN (32u * sizeof(uintptr_t)) /* a coroutine's own frame begins within it */

/* Up to 3.10 the frame refers to its coroutine, and later it is a part of it. */
static bool has_frame(const struct lh_python_stepped *stepped, uintptr_t coroutine)
{
    if (stepped->generator != 0)
        return coroutine == stepped->generator;
    return coroutine < stepped->frame && stepped->frame - coroutine < OBJECT_SPAN;
}

/* Its coroutine is where the table says, or a word away from there (see task.c). */
static bool steps(const struct lh_python_walk *walk, const struct lh_python_stepped *stepped,
                  uintptr_t object)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t members[3];
    uintptr_t place = object + at->object_type + LH_PYTHON_WORD + at->task_coroutine;
    if (walk->read(members, place - LH_PYTHON_WORD, sizeof(members)) != 0)
        return false;
    return has_frame(stepped, members[0]) || has_frame(stepped, members[1]) ||
           has_frame(stepped, members[2]);
}

static bool may_point(uintptr_t word, uintptr_t stack)
{
    uintptr_t away = word > stack ? word - stack : stack - word;
    return word >= LOWEST && word % sizeof(word) == 0 && away > STACK_SPAN &&
           word >> 47 == 0; /* not of the program's half of the addresses */
}

/* As much of the window as there is of the stack. Returns the number of words. */
static size_t read_window(const struct lh_python_walk *walk, uintptr_t from,
                          uintptr_t words[WINDOW / sizeof(uintptr_t)])
{
    for (size_t bytes = WINDOW; bytes >= 256; bytes /= 2)
        if (walk->read(words, from, bytes) == 0)
            return bytes / sizeof(words[0]);
    return 0;
}

uintptr_t lh_python_task_on_stack(const struct lh_python_walk *walk,
                                  const struct lh_python_stepped *stepped)
{
    uintptr_t words[WINDOW / sizeof(uintptr_t)];
    uintptr_t from = walk->record->python[stepped->index].boundary;
    size_t count = from != 0 ? read_window(walk, from & ~(sizeof(from) - 1), words) : 0;
    for (size_t i = 0; i < count; i++)
        if (may_point(words[i], from) && steps(walk, stepped, words[i]) &&
            lh_python_is_a(walk, words[i], LH_PYTHON_TASK))
            return words[i];
    return 0;
}
