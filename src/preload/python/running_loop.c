/* SPDX-License-Identifier: Apache-2.0 */
/* Python's functions that run asyncio's event loop. Runs where held.c does, and may do what that
 * may. */
#include "preload/python/running_loop.h"

#include "preload/python/attribute.h"
#include "preload/python/names.h"
#include "preload/python/object.h"

enum { RUN_LOOP = 2 }; /* the local variable of asyncio.run(main, *, debug) */

static uintptr_t local_of(const struct lh_python_walk *walk, const struct lh_python_step *step,
                          uintptr_t index)
{
    uintptr_t locals = step->frame + walk->layout->at.frame_locals;
    return lh_python_word(walk, locals + index * LH_PYTHON_WORD) & ~LH_PYTHON_REFERENCE_BITS;
}

uintptr_t lh_python_running_loop(const struct lh_python_walk *walk,
                                 const struct lh_python_step *step)
{
    uintptr_t self = local_of(walk, step, 0);
    if (lh_python_name_ends(walk, step->qualname, "run_forever", '.') &&
        lh_python_name_ends(walk, step->filename, "asyncio/base_events.py", '/'))
        return self;
    if (!lh_python_name_ends(walk, step->qualname, "run", '.') ||
        !lh_python_name_ends(walk, step->filename, "asyncio/runners.py", '/'))
        return 0;
    if (lh_python_is_a(walk, self, "Runner"))
        return lh_python_attribute(walk, self, "_loop");
    return local_of(walk, step, RUN_LOOP);
}
