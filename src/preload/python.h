/* Python frames of a thread, read without the GIL and without trusting a single pointer. */
#ifndef LH_PRELOAD_PYTHON_H
#define LH_PRELOAD_PYTHON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ring.h"
#include "preload/memory.h"

/* Looks up the interpreter in this process. Cheap when called again. Uses dlsym, so it runs on a
 * program's thread, outside the fast path. Returns 0 when Python frames can be read, -ENOENT when
 * there is no (initialised) interpreter, -ENOTSUP when its version has no row in the table of
 * offsets; then lh_python_problem() says so in one line for the user. */
int lh_python_find(void);
const char *lh_python_problem(void);

/* Looks for an interpreter, initialised or not, with the loader's functions; in our set-up,
 * and by lh_python_find() as long as none was seen. lh_python_is_loaded() says whether one was
 * seen, and costs nothing. */
void lh_python_look(void);
bool lh_python_is_loaded(void);

/* The calling thread's PyThreadState, or 0. Needs no GIL. */
uintptr_t lh_python_thread_state(void);

/* Is this the address of a lock or condition inside _PyRuntime, that is the GIL's own? Any thread,
 * also the watchdog. */
bool lh_python_is_runtime_lock(uintptr_t address);

/* Appends the frames of the thread with this PyThreadState to record->python, innermost first, at
 * most `most` of them. Any thread, also the watchdog, which has no libc thread-local storage: no
 * libc call that may set errno, no malloc, little stack (16 KiB threads). Memory is read through
 * `read`; on any doubt the walk ends and what was found so far stays. */
void lh_python_capture(lh_memory_read *read, uintptr_t thread_state, uint32_t most,
                       struct lh_record *record);

/* The name that the threading module gave that thread, into record->thread: see
 * python_thread_name.h. Any thread. */
void lh_python_name_thread(lh_memory_read *read, uintptr_t thread_state, struct lh_record *record);

#endif
