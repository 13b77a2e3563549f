/* SPDX-License-Identifier: Apache-2.0 */
/* Who is to set the result of a future. Runs where awaited.c does, and may do what that may.
 *
 * A future does not say whose it is. A thread of a pool is in _WorkItem.run, whose `self` has it
 * (Lib/concurrent/futures/thread.py). That of a coroutine is known to a function inside
 * run_coroutine_threadsafe(), which waits in the loop's _ready; from then on it has a callback that
 * knows the task and its loop (Lib/asyncio/tasks.py, Lib/asyncio/futures.py). What a function
 * inside another one knows stands in its closure. */
#include "preload/python/future.h"

#include <stddef.h>

#include "preload/python/attribute.h"
#include "preload/python/names.h"
#include "preload/python/object.h"
#include "preload/python/running_loop.h"
#include "preload/python/task.h"
#include "preload/python/threads.h"
#include "preload/python/walk.h"

#define FRAMES_MAX    200u /* of a thread: a loop is far out */
#define KNOWN_MAX     8u   /* objects that a closure has */
#define CALLBACKS_MAX 8u
#define READY_MAX     128u /* of a loop's handles */
#define ARGUMENTS_MAX 4u
#define LOOP_WORDS    128u /* of a loop that is written in C, that are looked at … */
#define HANDLE_WORDS  16u  /* … and of a handle */

/* Words after the header of an object. */
enum { FUNCTION_FIRST = 0, CLOSURE_3_8 = 4, CLOSURE_3_10 = 7 };
enum { LIST_ITEMS = 1 };
enum { DEQUE_BLOCK = 1, DEQUE_INDEX = 3 }; /* of what stands first (Modules/_collectionsmodule.c) */

/* The same file's block: a link, the data, a link. */
#define BLOCK_LENGTH 64u

struct runner {
    uintptr_t future;
    uintptr_t loop; /* that the thread runs; 0: none */
    bool runs_it;   /* … the future itself */
    uint32_t frames;
};

/* What a function inside another one has of that one's variables. */
struct known {
    uint32_t count;
    uintptr_t objects[KNOWN_MAX];
};

static uintptr_t self_of(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    return lh_python_word(walk, step->frame + walk->layout->at.frame_locals) &
           ~LH_PYTHON_REFERENCE_BITS;
}

static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct runner *runner = context;
    if (runner->loop == 0)
        runner->loop = lh_python_running_loop(walk, step);
    if (lh_python_name_ends(walk, step->qualname, "run", '.') &&
        lh_python_name_ends(walk, step->filename, "concurrent/futures/thread.py", '/') &&
        lh_python_attribute(walk, self_of(walk, step), "future") == runner->future)
        runner->runs_it = true;
    return !runner->runs_it && ++runner->frames < FRAMES_MAX;
}

static bool type_is(const struct lh_python_walk *walk, uintptr_t object, const char *name)
{
    return object != 0 && lh_python_type_is(walk, lh_python_type(walk, object), name);
}

static uintptr_t word_of(const struct lh_python_walk *walk, uintptr_t object, uintptr_t words)
{
    return lh_python_member(walk, object, words * LH_PYTHON_WORD);
}

/* Since 3.14 a tuple has its hash before the items: those of a closure are cells. */
static void read_closure(const struct lh_python_walk *walk, uintptr_t function, struct known *known)
{
    known->count = 0;
    if (!type_is(walk, function, "function"))
        return;
    bool old =
        lh_python_type(walk, word_of(walk, function, FUNCTION_FIRST)) == walk->layout->code_type;
    uintptr_t tuple = word_of(walk, function, old ? CLOSURE_3_8 : CLOSURE_3_10);
    if (!type_is(walk, tuple, "tuple"))
        return;
    uintptr_t size = word_of(walk, tuple, 0);
    uintptr_t first = type_is(walk, word_of(walk, tuple, 1), "cell") ? 1 : 2;
    for (uintptr_t i = 0; i < size && i < KNOWN_MAX; i++) {
        uintptr_t cell = word_of(walk, tuple, first + i);
        if (type_is(walk, cell, "cell"))
            known->objects[known->count++] = word_of(walk, cell, 0);
    }
}

static bool has(const struct known *known, uintptr_t object)
{
    for (uint32_t i = 0; i < known->count; i++)
        if (object != 0 && known->objects[i] == object)
            return true;
    return false;
}

/* The name of the coroutine, or of the task's, that is among the objects; 0: there is none. */
static uintptr_t coroutine_in(const struct lh_python_walk *walk, const struct known *known)
{
    for (uint32_t i = 0; i < known->count; i++) {
        uintptr_t name = lh_python_coroutine_name(walk, known->objects[i]);
        if (name != 0)
            return name;
    }
    return 0;
}

static bool is_of_future(const struct lh_python_walk *walk, uintptr_t function, uintptr_t future,
                         struct known *known)
{
    read_closure(walk, function, known);
    return has(known, future);
}

/* Reads the object's words behind its header, as far as its type says it goes. Returns their
 * number.
 */
static uint32_t read_words(const struct lh_python_walk *walk, uintptr_t object, uintptr_t *words,
                           uint32_t most)
{
    uintptr_t header = walk->layout->at.object_type + LH_PYTHON_WORD;
    uintptr_t size = word_of(walk, lh_python_type(walk, object), LH_PYTHON_TYPE_SIZE);
    uintptr_t count = size > header ? (size - header) / LH_PYTHON_WORD : 0;
    if (count > most)
        count = most;
    if (count == 0 || lh_python_read(walk, words, object + header, count * LH_PYTHON_WORD) != 0)
        return 0;
    return (uint32_t)count;
}

static bool has_argument_of(const struct lh_python_walk *walk, uintptr_t arguments,
                            uintptr_t future, struct known *known)
{
    uintptr_t size = word_of(walk, arguments, 0);
    for (uintptr_t i = 0; i <= size && i < ARGUMENTS_MAX; i++)
        if (is_of_future(walk, word_of(walk, arguments, 1 + i), future, known))
            return true;
    return false;
}

/* Does what the handle calls, or is called with, know the future? */
static bool is_handle_of(const struct lh_python_walk *walk, uintptr_t handle, uintptr_t future,
                         struct known *known)
{
    uintptr_t words[HANDLE_WORDS];
    uint32_t count = read_words(walk, handle, words, HANDLE_WORDS);
    for (uint32_t i = 0; i < count; i++)
        if (is_of_future(walk, words[i], future, known) ||
            (type_is(walk, words[i], "tuple") && has_argument_of(walk, words[i], future, known)))
            return true;
    return false;
}

static bool is_in_deque(const struct lh_python_walk *walk, uintptr_t deque, uintptr_t future,
                        struct known *known)
{
    if (!type_is(walk, deque, "collections.deque"))
        return false;
    uintptr_t size = word_of(walk, deque, 0);
    uintptr_t block = word_of(walk, deque, DEQUE_BLOCK);
    uintptr_t index = word_of(walk, deque, DEQUE_INDEX);
    for (uintptr_t i = 0; i < size && i < READY_MAX && block != 0; i++) {
        if (index >= BLOCK_LENGTH) {
            block = lh_python_word(walk, block + (1 + BLOCK_LENGTH) * LH_PYTHON_WORD);
            index = 0;
        }
        uintptr_t handle = lh_python_word(walk, block + (1 + index++) * LH_PYTHON_WORD);
        if (handle != 0 && is_handle_of(walk, handle, future, known))
            return true;
    }
    return false;
}

/* Is the future's coroutine among what the loop is about to run? */
static bool is_ready(const struct lh_python_walk *walk, uintptr_t loop, uintptr_t future,
                     struct known *known)
{
    uintptr_t words[LOOP_WORDS];
    if (is_in_deque(walk, lh_python_attribute(walk, loop, "_ready"), future, known))
        return true;
    uint32_t count = read_words(walk, loop, words, LOOP_WORDS);
    for (uint32_t i = 0; i < count; i++)
        if (is_in_deque(walk, words[i], future, known))
            return true;
    return false;
}

/* Its task has been made: one of the future's callbacks knows that. */
static bool read_task(const struct lh_python_walk *walk, uintptr_t future, struct known *known)
{
    uintptr_t list = lh_python_attribute(walk, future, "_done_callbacks");
    if (!type_is(walk, list, "list"))
        return false;
    uintptr_t size = word_of(walk, list, 0);
    uintptr_t items = word_of(walk, list, LIST_ITEMS);
    for (uintptr_t i = 0; i < size && i < CALLBACKS_MAX; i++) {
        read_closure(walk, lh_python_word(walk, items + i * LH_PYTHON_WORD), known);
        if (coroutine_in(walk, known) != 0)
            return true;
    }
    return false;
}

void lh_python_future_find(const struct lh_python_walk *walk, const struct lh_python_waiter *waiter,
                           struct lh_python_awaited *awaited)
{
    struct lh_python_thread threads[LH_PYTHON_THREADS_MAX];
    struct known known;
    bool has_task = read_task(walk, awaited->object, &known);
    uint32_t count = lh_python_threads(waiter->state, threads, LH_PYTHON_THREADS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct lh_python_walk of_thread = {.view = walk->view, .layout = walk->layout};
        struct runner runner = {.future = awaited->object};
        (void)lh_python_walk_out(&of_thread, threads[i].state, visit, &runner);
        bool loops =
            runner.loop != 0 && (has_task ? has(&known, runner.loop)
                                          : is_ready(walk, runner.loop, runner.future, &known));
        if (!loops && !runner.runs_it)
            continue;
        awaited->owner_tid = threads[i].tid;
        awaited->owner_state = threads[i].state;
        awaited->coroutine = loops ? coroutine_in(walk, &known) : 0;
        return;
    }
}
