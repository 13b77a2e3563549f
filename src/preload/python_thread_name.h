/* The name that Python's threading module gave a thread. See python.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_THREAD_NAME_H
#define LH_PRELOAD_PYTHON_THREAD_NAME_H

#include "preload/python_walk.h"

/* Stores threading.Thread.name of the thread with this PyThreadState, cut to its size, into
 * record->thread; the record's strings serve on the way, and are as they were. Nothing, where
 * threading did not start the thread (the main one, C's own), or it cannot be told for certain. */
void lh_python_thread_name_store(const struct lh_python_layout *layout, lh_memory_read *read,
                                 uintptr_t thread_state, struct lh_record *record);

#endif
