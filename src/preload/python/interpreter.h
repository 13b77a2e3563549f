/* SPDX-License-Identifier: Apache-2.0 */
/* Python frames of a thread, read without the GIL and without trusting a single pointer. */
#ifndef LH_PRELOAD_PYTHON_INTERPRETER_H
#define LH_PRELOAD_PYTHON_INTERPRETER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"
#include "preload/python/awaited.h"
#include "preload/python/held.h"
#include "preload/python/place.h"
#include "preload/sys/view.h"

/* Looks up the interpreter in this process. Cheap when called again. Uses sys/symbols.h, so it runs
 * on a program's thread, outside the fast path. Returns 0 when Python frames can be read, -ENOENT
 * when there is no (initialised) interpreter, -ENOTSUP when its version has no row in the table of
 * offsets; then lh_python_problem() says so in one line for the user. */
int lh_python_find(void);
const char *lh_python_problem(void);

/* Looks for an interpreter, initialised or not, with the loader's functions; in our set-up,
 * and by lh_python_find() as long as none was seen. lh_python_is_loaded() says whether one was
 * seen, and costs nothing. */
void lh_python_look(void);
bool lh_python_is_loaded(void);

/* The version of the interpreter that was seen, "3.11.2"; "" without one. On a program's thread. */
void lh_python_version(char *version, size_t size);

/* Does it count the threads of the process after a fork, and warn of any that it does not know?
 * CPython 3.12 and later do so in os.fork(), from a file below /proc. */
bool lh_python_counts_threads(void);

/* The calling thread's PyThreadState, or 0. Needs no GIL. */
uintptr_t lh_python_thread_state(void);

/* Is this the address of a lock or condition inside _PyRuntime, that is the GIL's own? Any thread,
 * also the watchdog. */
bool lh_python_is_runtime_lock(uintptr_t address);

/* Appends the frames of the thread with this PyThreadState to record->python, innermost first, at
 * most `most` of them. Any thread, also the watchdog, which has no libc thread-local storage: no
 * libc call that may set errno, no malloc, little stack (16 KiB threads). Memory is read through
 * `view`; on any doubt the walk ends and what was found so far stays. */
void lh_python_capture(const struct lh_view *view, uintptr_t thread_state, uint32_t most,
                       struct lh_record *record);

/* Visits the Python frames of the thread with this PyThreadState, as lh_python_walk_out(). */
void lh_python_visit_frames(lh_memory_read *read, uintptr_t thread_state, lh_python_visit *visit,
                            void *context);

/* The line that a frame is at which has been visited; 0: not known. */
uint32_t lh_python_line_of(lh_memory_read *read, const struct lh_python_step *step);

/* Where the thread with this PyThreadState is: see place.h. Any thread. */
void lh_python_place(const struct lh_view *view, uintptr_t thread_state,
                     struct lh_python_place *place);

/* Has the function that ran the thread's loop, when it parked there, returned? In doubt it has not.
 * Any thread. */
enum lh_python_whereabouts lh_python_whereabouts(const struct lh_view *view, uintptr_t thread_state,
                                                 const struct lh_python_place *parked);

/* The name that the threading module gave that thread, into `name`: see thread_name.h. Any thread.
 */
void lh_python_name_thread(const struct lh_view *view, uintptr_t thread_state,
                           struct lh_record *record, char name[LH_THREAD_NAME]);

/* What a thread waits for in Python's terms: see awaited.h. False: it is not known. Any thread. */
bool lh_python_awaited(lh_memory_read *read, const struct lh_python_waiter *waiter,
                       struct lh_python_awaited *awaited);

/* Is a suspended task of that thread's loop in a `with` statement of this object? Stores the task,
 * and the frame, as the only one, into the record. See suspended.h. */
bool lh_python_store_suspended(lh_memory_read *read, uintptr_t thread_state, uintptr_t object,
                               struct lh_record *record);

/* Does a function that the thread is in have this object: see held.h. Any thread. */
enum lh_python_hold lh_python_thread_holds(lh_memory_read *read, uintptr_t thread_state,
                                           uintptr_t object);

/* Stores the str object at `text` into the record's strings. False: it is none, or does not fit.
 * Any thread. */
bool lh_python_store_text(lh_memory_read *read, uintptr_t text, struct lh_record *record,
                          uint16_t *offset);

#endif
