/* SPDX-License-Identifier: Apache-2.0 */
/* Has the function that runs a loop returned? Of loops that are no Python.
 *
 * Nobody but the collector can unwind a stack. So it is asked, where a loop parks in a new place,
 * which frames lie outside of that, and answers where on the stack their return addresses are
 * (struct lh_home). The function that runs the loop is on the stack as long as its return address
 * is, and those of its callers: what comes next in its caller puts another one in its place.
 *
 * Which of the frames is it?
 *   - where it has a well-known name, that one;
 *   - otherwise the innermost that has been seen to be there when calls were made in the loop, of
 *     which the first iterations after the answer are asked.
 * Work outside of it that is followed by one more park was in the loop after all (uv_run() with
 * UV_RUN_ONCE in a loop of the program's own): that iteration is told when it ends, and the loop's
 * function is one further out from then on. So in doubt nothing is lost but what never ends, and
 * that is told late.
 *
 * Functions that run on other stacks (coroutines) say nothing: the loop's own stack is as it was.
 * Any thread, as in_loop.h. */
#ifndef LH_PRELOAD_STATE_HOME_H
#define LH_PRELOAD_STATE_HOME_H

#include "preload/state/state.h"

enum lh_home_look {
    LH_HOME_INSIDE,  /* or not known */
    LH_HOME_DOUBT,   /* outside, unless it parks again */
    LH_HOME_OUTSIDE, /* for certain */
};

/* Where the thread is now. */
enum lh_home_look lh_home_look(struct lh_slot *slot);

/* Asks about the park in the wrapper with this frame. Runs on the loop thread, in that wrapper. */
void lh_home_ask(struct lh_slot *slot, uintptr_t frame);

/* A long or marked iteration ends: the same. */
void lh_home_parks(struct lh_slot *slot, uintptr_t frame);

/* After a park: are the calls of this iteration to be looked at closely? Then it is marked. On the
 * loop thread. */
void lh_home_study(struct lh_slot *slot);

/* In such an iteration, at the end of a call that is timed: is this one to be looked at? The first,
 * the second, the fourth and so on are: a look takes microseconds, and an iteration may make a
 * million calls. On the loop thread. */
static inline bool lh_home_is_due(struct lh_slot *slot)
{
    if (slot->home.asked == 0 || slot->home.studied == 0)
        return false;
    uint32_t calls = ++slot->home.calls;
    return (calls & (calls - 1)) == 0;
}

#endif
