/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads the user wants to be loop threads. See wanted.h. */
#include "preload/loop/wanted.h"

#include <sys/prctl.h>

#include "preload/python/interpreter.h"
#include "preload/state/image.h"
#include "preload/state/state.h"
#include "preload/sys/proc.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

static bool matches(const char *name)
{
    char own[LH_THREAD_NAME] = "";
    if (name == NULL) {
        lh_syscall5(SYS_prctl, PR_GET_NAME, (long)own, 0, 0, 0);
        name = own;
    }
    return lh_glob_list_match(lh_options.loop_globs, name);
}

/* What changes seldom is looked at ever more seldom: true at the first time, the second, the
 * fourth ... */
static bool is_time_to_look(uint32_t *times)
{
    ++*times;
    return (*times & (*times - 1)) == 0;
}

static bool is_main_thread(void)
{
    return lh_syscall0(SYS_gettid) == lh_syscall0(SYS_getpid);
}

/* Waits that a pool of threads makes for a loop elsewhere, as for trio's guest mode: in threads
 * that it has started. To look at all of a thread's frames costs a hundred times what it costs to
 * know that. */
static bool does_a_job(void)
{
    struct lh_python_place place;
    if (is_main_thread() || !lh_python_is_loaded() || lh_python_find() != 0)
        return false;
    if (lh_self.jobs > 0 && !is_time_to_look(&lh_self.jobs))
        return true;
    uint64_t signals = lh_signals_block(); /* a handler that does not return would keep the store */
    struct lh_view view = lh_view_of_own();
    lh_python_place(&view, lh_python_thread_state(), &place);
    lh_view_close(&view);
    lh_signals_restore(signals);
    if (place.runs != LH_PYTHON_RUNS_JOB)
        return false;
    lh_self.jobs += lh_self.jobs == 0;
    return true;
}

bool lh_loop_is_wanted(void)
{
    switch (lh_options.loop_mode) {
    case LH_LOOP_AUTO:
        return !does_a_job();
    case LH_LOOP_MAIN:
        return is_main_thread();
    case LH_LOOP_NONE:
        return false;
    default:
        return is_time_to_look(&lh_self.refused) && matches(NULL);
    }
}

/* Not in a child of fork, which is another process with the same image. */
static bool is_the_command(void)
{
    return lh_options.follow_given != 0 ||
           (lh_image.is_root && lh_image.pid == (uint32_t)lh_syscall0(SYS_getpid));
}

bool lh_loop_main_is_one(void)
{
    return lh_options.loop_mode == LH_LOOP_MAIN && is_the_command();
}

bool lh_loop_goes_by_names(void)
{
    return lh_options.loop_mode == LH_LOOP_GLOBS && is_the_command();
}

bool lh_loop_has_name(const char *name)
{
    return lh_loop_goes_by_names() && matches(name);
}

bool lh_loop_waits_with_name(void)
{
    return is_time_to_look(&lh_self.refused) && lh_loop_has_name(NULL);
}
