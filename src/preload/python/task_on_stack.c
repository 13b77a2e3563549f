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
 * coroutine is this very coroutine can be nothing else.
 *
 * 3.8 and 3.9 do not say where an eval loop is. But it works with the address of its frame, and its
 * caller with that of the coroutine: the stack is gone through for these two. */
#include "preload/python/task_on_stack.h"

#include <string.h>

#include "preload/python/object.h"

#define WINDOW 1024u        /* of the stack that is looked at; half of it has been enough so far */
#define REACH  (128u << 10) /* of the stack that is gone through, from its innermost end … */
#define LOOKS  1024u        /* … and objects that are looked at on the way */

#define AT_ONCE     16u        /* words whose objects are fetched together */
#define ALIGNED     16u        /* where any allocator puts objects */
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
    if (lh_python_read(walk, members, place - LH_PYTHON_WORD, sizeof(members)) != 0)
        return false;
    return has_frame(stepped, members[0]) || has_frame(stepped, members[1]) ||
           has_frame(stepped, members[2]);
}

static bool may_point(uintptr_t word, uintptr_t stack)
{
    uintptr_t away = word > stack ? word - stack : stack - word;
    return word >= LOWEST && word % ALIGNED == 0 && away > STACK_SPAN &&
           word >> 47 == 0; /* not of the program's half of the addresses */
}

/* As much of the window as there is of the stack. Returns the number of words. */
static size_t read_window(const struct lh_python_walk *walk, uintptr_t from,
                          uintptr_t words[WINDOW / sizeof(uintptr_t)])
{
    for (size_t bytes = WINDOW; bytes >= 256; bytes /= 2)
        if (lh_python_read(walk, words, from, bytes) == 0)
            return bytes / sizeof(words[0]);
    return 0;
}

static bool is_task_of(const struct lh_python_walk *walk, const struct lh_python_stepped *stepped,
                       uintptr_t object)
{
    return steps(walk, stepped, object) && lh_python_is_a(walk, object, LH_PYTHON_TASK);
}

/* Of the objects that some words may point at, what steps() reads is fetched together. */
static void want_objects(const struct lh_python_walk *walk, const uintptr_t *words, size_t count,
                         uintptr_t stack)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    for (size_t i = 0; i < count; i++)
        if (may_point(words[i], stack))
            lh_view_want(&walk->view, words[i] + at->object_type + at->task_coroutine,
                         3 * LH_PYTHON_WORD);
}

static uintptr_t find_behind(const struct lh_python_walk *walk,
                             const struct lh_python_stepped *stepped, uintptr_t boundary)
{
    uintptr_t words[WINDOW / sizeof(uintptr_t)];
    size_t count = read_window(walk, boundary & ~(sizeof(boundary) - 1), words);
    for (size_t i = 0; i < count; i++) {
        if (i % AT_ONCE == 0)
            want_objects(walk, words + i, count - i < AT_ONCE ? count - i : AT_ONCE, boundary);
        if (may_point(words[i], boundary) && is_task_of(walk, stepped, words[i]))
            return words[i];
    }
    return 0;
}

/* Where either address stands, an eval loop of the coroutine's, or of what it awaits, is near. */
static uintptr_t find_without_boundary(const struct lh_python_walk *walk,
                                       const struct lh_python_stepped *stepped)
{
    uintptr_t words[WINDOW / sizeof(uintptr_t)];
    uintptr_t from = walk->record->registers.sp & ~(sizeof(from) - 1);
    size_t near = 0; /* words that are still within the window of the last of them */
    uint32_t looks = 0;
    size_t count;
    for (uintptr_t at = from; at - from < REACH; at += count * sizeof(words[0])) {
        count = read_window(walk, at, words);
        for (size_t i = 0; i<count; i++, near -= near> 0) {
            if (words[i] == stepped->frame || words[i] == stepped->generator)
                near = WINDOW / sizeof(words[0]);
            else if (near > 0 && may_point(words[i], from) && ++looks <= LOOKS &&
                     is_task_of(walk, stepped, words[i]))
                return words[i];
        }
        if (count == 0 || looks > LOOKS)
            break;
    }
    return 0;
}

uintptr_t lh_python_task_on_stack(const struct lh_python_walk *walk,
                                  const struct lh_python_stepped *stepped)
{
    uintptr_t boundary = walk->record->python[stepped->index].boundary;
    if (boundary != 0)
        return find_behind(walk, stepped, boundary);
    return walk->record->python_loop.size != 0 && walk->record->registers.sp != 0
               ? find_without_boundary(walk, stepped)
               : 0;
}
