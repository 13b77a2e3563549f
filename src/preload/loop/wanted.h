/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_LOOP: which threads the user wants to be loop threads.
 *
 * `auto`, `main` and globs choose among the threads that park. `main` and globs also say that a
 * thread is one, whether it parks or not: the command's own main thread, and those of its threads
 * whose names match, from their start on or from when they take the name. Other processes' threads
 * only where LOOPHOUND_FOLLOW is given: a shell or a helper is no loop because the server is one.
 *
 * Runs on the program's threads; raw system calls, errno stays. */
#ifndef LH_PRELOAD_LOOP_WANTED_H
#define LH_PRELOAD_LOOP_WANTED_H

#include <stdbool.h>

/* The calling thread parks, and is no loop thread yet: may it become one? */
bool lh_loop_is_wanted(void);

/* Is this process's main thread said to be one, or do the names of its threads say so? */
bool lh_loop_main_is_one(void);
bool lh_loop_goes_by_names(void);

/* Then: is this the name of one? NULL: the calling thread's, as the kernel knows it. */
bool lh_loop_has_name(const char *name);

/* The same for a thread that waits in poll or select and is no loop thread: another one may have
 * named it. Looks ever more seldom. */
bool lh_loop_waits_with_name(void);

#endif
