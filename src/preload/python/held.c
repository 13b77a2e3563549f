/* SPDX-License-Identifier: Apache-2.0 */
/* What a Python function has in hand.
 *
 * Runs on the watchdog, while the interpreter may be running: no malloc, no libc state; memory is
 * read through walk->view only, and the number of steps is bounded.
 *
 * A frame has its local variables and, behind them, a stack of the values that it works with. How
 * many of those there are is not kept while the frame runs, but a `with` statement is known by what
 * it does on an exception: it leaves so many values, the last of which is the object's bound
 * __exit__, or (3.14) the object itself. That number is in the code object's table of exceptions
 * for the instruction that runs (blocks.h), or up to 3.10 in the frame's blocks. */
#include "preload/python/held.h"

#include "preload/python/blocks.h"
#include "preload/python/object.h"

#define LOCALS_MAX 64u
#define VALUES_MAX 64u /* in `with`, `for` and the like, one in another */
#define SEARCHED   96u /* words of a frame that are searched for an object */
#define AT_ONCE    16u
#define FRAMES_MAX 48u /* of a thread, innermost first */

/* Words after the header of a bound method, whether written in C or in Python. */
enum { METHOD_SELF = 1 };

static uintptr_t object_at(const uintptr_t *words, uint32_t index)
{
    return words[index] & ~LH_PYTHON_REFERENCE_BITS;
}

static bool is_bound_to(const struct lh_python_walk *walk, uintptr_t method, uintptr_t object)
{
    if (method == 0 || lh_python_member(walk, method, METHOD_SELF * LH_PYTHON_WORD) != object)
        return false;
    uintptr_t type = lh_python_type(walk, method);
    return lh_python_type_is(walk, type, "builtin_function_or_method") ||
           lh_python_type_is(walk, type, "method");
}

/* A variable that an inner function has too is in a cell. */
static bool is_cell_of(const struct lh_python_walk *walk, uintptr_t cell, uintptr_t object)
{
    return cell != 0 && lh_python_member(walk, cell, 0) == object &&
           lh_python_type_is(walk, lh_python_type(walk, cell), "cell");
}

bool lh_python_values_have_with(const struct lh_python_walk *walk,
                                const struct lh_python_variables *values, uintptr_t object)
{
    uintptr_t words[VALUES_MAX];
    uint32_t count = values->live < VALUES_MAX ? values->live : VALUES_MAX;
    if (count == 0 || lh_python_read(walk, words, values->values, count * LH_PYTHON_WORD) != 0)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (object_at(words, i) == object || is_bound_to(walk, object_at(words, i), object))
            return true;
    return false;
}

static bool is_named(const struct lh_python_walk *walk, const struct lh_python_variables *values,
                     uintptr_t object)
{
    uintptr_t words[LOCALS_MAX];
    uint32_t count = values->local_count < LOCALS_MAX ? values->local_count : LOCALS_MAX;
    if (count == 0 || lh_python_read(walk, words, values->locals, count * LH_PYTHON_WORD) != 0)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (object_at(words, i) == object || is_cell_of(walk, object_at(words, i), object))
            return true;
    return false;
}

enum lh_python_hold lh_python_frame_hold(const struct lh_python_walk *walk,
                                         const struct lh_python_step *step, uintptr_t object)
{
    struct lh_python_variables values;
    if (!lh_python_variables_find(walk, step, &values))
        return LH_PYTHON_HOLDS_NOTHING;
    if (lh_python_values_have_with(walk, &values, object))
        return LH_PYTHON_HOLDS_WITH;
    return is_named(walk, &values, object) ? LH_PYTHON_HOLDS_NAME : LH_PYTHON_HOLDS_NOTHING;
}

struct holding {
    uintptr_t object;
    enum lh_python_hold most;
    uint32_t frames;
};

static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct holding *holding = context;
    enum lh_python_hold hold = lh_python_frame_hold(walk, step, holding->object);
    if (hold > holding->most)
        holding->most = hold;
    return holding->most != LH_PYTHON_HOLDS_WITH && ++holding->frames < FRAMES_MAX;
}

enum lh_python_hold lh_python_hold_find(const struct lh_python_layout *layout, lh_memory_read *read,
                                        uintptr_t thread_state, uintptr_t object)
{
    struct lh_python_walk walk = {.view = {.read = read}, .layout = layout};
    struct holding holding = {object, LH_PYTHON_HOLDS_NOTHING, 0};
    (void)lh_python_walk_out(&walk, thread_state, visit, &holding);
    return holding.most;
}

uintptr_t lh_python_frame_search(const struct lh_python_walk *walk,
                                 const struct lh_python_step *step, lh_python_is_it *is_it,
                                 const void *context)
{
    uintptr_t words[AT_ONCE];
    uintptr_t at = step->frame + walk->layout->at.frame_locals;
    for (uint32_t i = 0; i < SEARCHED; i += AT_ONCE, at += sizeof(words)) {
        if (lh_python_read(walk, words, at, sizeof(words)) != 0)
            break;
        for (uint32_t k = 0; k < AT_ONCE; k++) {
            uintptr_t object = object_at(words, k);
            if (object != 0 && is_it(walk, object, context))
                return object;
            /* A bound method: `with` has nothing else of its object, up to 3.13. */
            uintptr_t self =
                object != 0 ? lh_python_member(walk, object, METHOD_SELF * LH_PYTHON_WORD) : 0;
            if (self != 0 && is_it(walk, self, context) && is_bound_to(walk, object, self))
                return self;
        }
    }
    return 0;
}
