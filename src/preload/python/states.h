/* SPDX-License-Identifier: Apache-2.0 */
/* The PyThreadStates of one thread. See interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_STATES_H
#define LH_PRELOAD_PYTHON_STATES_H

#include "preload/python/walker.h"

#define LH_PYTHON_STATES_MAX 8u

/* A thread has a state in each interpreter that it runs; what the interpreter says of it is one of
 * them (PyGILState_GetThisThreadState(3)). Given that one, stores all, those of the interpreters
 * made last first, for those run inside the others. Returns their number: 1, the given one alone,
 * where there is but one interpreter or their lists do not hold together. */
uint32_t lh_python_states(const struct lh_python_layout *layout, const struct lh_view *view,
                          uintptr_t thread_state, uintptr_t states[LH_PYTHON_STATES_MAX]);

#endif
