/* SPDX-License-Identifier: Apache-2.0 */
/* Where a thread is, by its Python functions. See place.h: no malloc, no stdio, no libc that may
 * set errno; memory is read through `view` only. */
#include "preload/python/place.h"

#include <stddef.h>

#include "preload/python/marks.h"
#include "preload/python/names.h"
#include "preload/python/states.h"
#include "preload/python/walk.h"

/* What a thread's frames begin with; other outermost frames are those of greenlets, or of what C
 * calls. */
static const char *const beginnings[] = {"<module>", "_run_module_as_main", "_bootstrap"};

static bool is_beginning(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (lh_python_name_ends(walk, step->qualname, beginnings[i], '.'))
            return true;
    return false;
}

struct search {
    enum lh_python_runs runs;
    struct lh_python_step runner;
    struct lh_python_step innermost;
    struct lh_python_step outermost; /* so far */
};

static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct search *search = context;
    search->outermost = *step;
    if (search->innermost.frame == 0)
        search->innermost = *step;
    if (search->runs == LH_PYTHON_RUNS_NOTHING) {
        search->runs = lh_python_mark_of(walk, step).runs;
        search->runner = *step;
    }
    return true;
}

static void find(struct lh_python_walk *walk, uintptr_t thread_state, struct lh_python_place *place)
{
    struct search search = {.runs = LH_PYTHON_RUNS_NOTHING};
    uintptr_t states[LH_PYTHON_STATES_MAX];
    bool is_whole = true;
    /* Other threads change the lists that these are in. */
    struct lh_view view = walk->view;
    if (view.read == lh_memory_read_near)
        view.read = lh_memory_read_self;
    walk->left = LH_PYTHON_FRAMES; /* are fetched at once */
    uint32_t count = lh_python_states(walk->layout, &view, thread_state, states);
    for (uint32_t i = 0; i < count && is_whole; i++)
        is_whole = lh_python_walk_out(walk, states[i], visit, &search);
    *place = (struct lh_python_place){
        .runs = search.runs,
        .is_whole = is_whole,
        .innermost = search.innermost.frame,
        .innermost_code = search.innermost.code,
        .is_threads = search.outermost.frame != 0 && is_beginning(walk, &search.outermost),
    };
    if (search.runs != LH_PYTHON_RUNS_NOTHING) {
        place->runner = search.runner.frame;
        place->runner_code = search.runner.code;
    }
    if (is_whole) {
        place->outermost = search.outermost.frame;
        place->code = search.outermost.code;
    }
}

void lh_python_place_find(const struct lh_python_layout *layout, const struct lh_view *view,
                          uintptr_t thread_state, struct lh_python_place *place)
{
    struct lh_python_walk walk = {.view = *view, .layout = layout};
    find(&walk, thread_state, place);
}

/* Mostly the very frame that ran the loop as it parked is still there: then no name has to be read.
 *
 * What a greenlet does, for one, is not seen to be below the loop; but the outermost function of
 * the loop's own is still there. Not so as the interpreter ends. */
enum lh_python_whereabouts lh_python_place_left(const struct lh_python_layout *layout,
                                                const struct lh_view *view, uintptr_t thread_state,
                                                const struct lh_python_place *parked)
{
    struct lh_python_walk walk = {.view = *view, .layout = layout};
    struct lh_python_place now;
    bool own_stack = parked->runs == LH_PYTHON_RUNS_HUB;
    if (parked->runs != LH_PYTHON_RUNS_LOOP && !own_stack)
        return LH_PYTHON_INSIDE;
    if (parked->runner != 0 &&
        lh_python_walk_is_below(&walk, thread_state, parked->runner, parked->runner_code))
        return LH_PYTHON_INSIDE;
    find(&walk, thread_state, &now);
    if (now.runs == LH_PYTHON_RUNS_LOOP || now.runs == LH_PYTHON_RUNS_HUB)
        return LH_PYTHON_INSIDE;
    if (!now.is_whole || (own_stack && now.outermost == 0))
        return LH_PYTHON_UNSEEN;
    if (now.is_threads || now.runs == LH_PYTHON_RUNS_JOB)
        return LH_PYTHON_LEFT;
    bool left =
        !own_stack && (parked->is_unborn ||
                       (parked->outermost != 0 &&
                        (now.outermost == 0 ||
                         !lh_python_walk_frame_lives(&walk, parked->outermost, parked->code))));
    return left ? LH_PYTHON_LEFT : LH_PYTHON_INSIDE;
}
