/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over Python frames is about to read, fetched many pieces at once. See interpreter.h
 * for who may call what. */
#ifndef LH_PRELOAD_PYTHON_AHEAD_H
#define LH_PRELOAD_PYTHON_AHEAD_H

#include <stdint.h>

#include "preload/python/walker.h"

/* Fetches walk->left frames from the one at `first` on, their code objects, names and line tables.
 * The walk's own reads find them there, and check them. Without a store nothing happens. */
void lh_python_look_ahead(const struct lh_python_walk *walk, uintptr_t first);

/* The frame at `address` is read next, and then those that it was called by. Since 3.11 they stand
 * side by side, and those that mark eval loops are not far from each other on the C stack. */
void lh_python_want_frame(const struct lh_python_walk *walk, uintptr_t address);

#endif
