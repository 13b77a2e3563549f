/* SPDX-License-Identifier: Apache-2.0 */
/* Finding loops that park past libc: by what the kernel says that threads wait in
 * (/proc/self/task/TID/syscall). Runs on the watchdog.
 *
 * The rule; in doubt a loop is missed. A thread that is no loop thread yet is one when
 *   - LOOPHOUND_LOOP wants it,
 *   - two looks find it in epoll_wait(2) or a like of it, on the same epoll set, with a time-out
 *     that is not 0, from an instruction that is not libc's: no wrapper of ours sees that; or one
 *     look, where another such loop has that set, and
 *   - the set holds what is of no use but to a loop: an eventfd, timerfd or signalfd.
 * In a program in Go none is: its scheduler waits so, and gives its place to another thread.
 *
 * Looked at 10 ms after a process may have such a loop, and then ever more seldom, each time half
 * as long again, up to a minute, then no more; from the beginning again when one was found. A look
 * costs a few microseconds for each thread, of LOOKS_AT_MOST. */
#ifndef LH_PRELOAD_WATCHDOG_INLINE_FIND_H
#define LH_PRELOAD_WATCHDOG_INLINE_FIND_H

#include <stdbool.h>
#include <stdint.h>

/* When the watchdog starts: one in a process that had none begins anew. */
void lh_inline_find_begin(void);

/* When there is to be a look: in so many ns, 0 now, -1 no more. */
int64_t lh_inline_due_ns(void);

/* Looks, if it is time. `found` is called before the first loop is taken, and may say that none is
 * to be. */
void lh_inline_look(bool (*found)(void));

/* The same, at once. */
void lh_inline_look_now(void);

/* What cannot be seen, one line; NULL: nothing. `found`: of a loop that was found. */
const char *lh_inline_problem(bool found);

#endif
