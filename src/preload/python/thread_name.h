/* SPDX-License-Identifier: Apache-2.0 */
/* The name that Python's threading module gave a thread. See interpreter.h for who may call what.
 */
#ifndef LH_PRELOAD_PYTHON_THREAD_NAME_H
#define LH_PRELOAD_PYTHON_THREAD_NAME_H

#include "preload/python/walker.h"

/* Stores threading.Thread.name of the thread with this PyThreadState, cut to its size, into `name`;
 * the record's strings serve on the way, and are as they were. Nothing, where threading did not
 * start the thread (the main one, C's own), or it cannot be told for certain. */
void lh_python_thread_name_find(const struct lh_python_layout *layout, const struct lh_view *view,
                                uintptr_t thread_state, struct lh_record *record,
                                char name[LH_THREAD_NAME]);

#endif
