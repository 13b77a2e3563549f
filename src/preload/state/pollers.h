/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that only look like loops: they park as loops do, but no handler runs there that could
 * hold the events. Of them nothing is told, unless the user has named them.
 *
 * Two kinds:
 *   - Schedulers that preempt what they run, as Erlang's: whatever computes there, others get their
 *     turn. Known by a function that only such a runtime has.
 *   - In a Python program, a library that runs a loop in C (grpc's pollers, the watcher of
 *     watchfiles). Handlers are Python there. So one runs only where the library's code is on the
 *     stack, and Python below it. Not so where the library waits itself, where a thread has nothing
 *     but the library's code, and where the call that ran the library's loop has returned.
 *
 * The stack is looked through without an unwinder (sys/stack_words.h): in doubt there is a handler.
 */
#ifndef LH_PRELOAD_STATE_POLLERS_H
#define LH_PRELOAD_STATE_POLLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/state/state.h"

/* On the slot's own thread, as it parks on an epoll set by a call from `site`, for the first time
 * or on another set than before. Takes a lock of the dynamic linker's; not in a child of fork,
 * where every such thread passes for a loop. */
void lh_poller_note(struct lh_slot *slot, uintptr_t site);

/* May that be one? Then what it does when it has left its park's function is in no handler, and it
 * is not asked which function that is (home.h): that it parks again does not make it one. */
bool lh_poller_may_be(const struct lh_slot *slot);

/* Is this address in uvloop's code? Same conditions; false in a child of fork. */
bool lh_poller_is_uvloop(uintptr_t address);

/* Does the thread run no handler now? `sp`: its stack pointer, or 0. Any thread, before something
 * is told; raw system calls. */
bool lh_poller_is(const struct lh_slot *slot, uintptr_t sp);

#endif
