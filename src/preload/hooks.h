/* Calls that are interposed for our book-keeping: what is done before each. One function per HOOK
 * row of src/calls.def; runs on the program's threads. */
#ifndef LH_PRELOAD_HOOKS_H
#define LH_PRELOAD_HOOKS_H

#include "preload/loop.h"
#include "preload/state.h"
#include "preload/watchdog.h"

/* Closing a loop's epoll set ends the loop. */
static inline void lh_before_close(int fd)
{
    if (LH_UNLIKELY(lh_self.slot != NULL))
        lh_loop_closes(fd);
}

/* A fork should find the threads that the program made, and no other: CPython 3.12 and later count
 * them. The watchdog is started again at the next park. */
static inline void lh_before_fork(void)
{
    if (lh_process != NULL)
        lh_watchdog_stop();
}

#endif
