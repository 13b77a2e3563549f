/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that take turns at one epoll set: tokio's workers, threads that all run a Boost.Asio
 * io_context. One of them waits in epoll_wait; the others, who have no work, wait for a condition
 * until they are wanted. They stand by: to them that is what a park is to the one.
 *
 * The rule; in doubt a block is missed. A loop thread that waits for a condition (pthread_cond_wait
 * and its family) or on a futex, which does not tell what it is for, stands by when
 *   - another loop thread of this process has the same epoll set, and
 *   - the wait is made no deeper on the stack than the thread's own latest park: by the scheduler,
 *     and not by a handler that the scheduler has called.
 *
 * A thread may also give its place away in the middle of an iteration, to another one that it has
 * started or woken (tokio's block_in_place). What it does then is not in the loop
 * (state/in_loop.h); once it stands by like that, or further out than the function that runs the
 * loop, it has no loop, until it parks on a set again.
 *
 * Runs on the program's threads, before a wait of a loop thread; no system call, but where it has
 * started or woken another thread in this iteration: then raw ones, and errno stays. */
#ifndef LH_PRELOAD_LOOP_STANDBY_H
#define LH_PRELOAD_LOOP_STANDBY_H

#include "preload/state/state.h"

/* Does the calling loop thread stand by, in a wrapper with this frame? Then it is parked, until
 * lh_park_end(). */
bool lh_standby_begin(uintptr_t frame);

#endif
