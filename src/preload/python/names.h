/* SPDX-License-Identifier: Apache-2.0 */
/* Python's str objects as UTF-8 in a record. See interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_NAMES_H
#define LH_PRELOAD_PYTHON_NAMES_H

#include "preload/python/walker.h"

/* Stores the str object at `address` into the record's strings as UTF-8, at most LH_PYTHON_NAME_MAX
 * bytes of its end, and its place in *offset. Returns 0, -EFAULT when it cannot be read, -EINVAL
 * when it is no str, -ENOSPC when the strings are full; then nothing is stored. */
int lh_python_store_name(struct lh_python_walk *walk, uintptr_t address, uint16_t *offset);

/* The same into `text`. Returns 0, -EFAULT or -EINVAL. */
int lh_python_name_text(const struct lh_python_walk *walk, uintptr_t address,
                        char text[LH_PYTHON_NAME_MAX + 1]);

/* A number that goes with the text of the str object at `address`, and with hardly any other; 0: it
 * cannot be read. Not the same in another run. */
uint64_t lh_python_name_hash(const struct lh_python_walk *walk, uintptr_t address);

/* Does the str object at `address` end with `end`, which is of ASCII characters, and is that all of
 * it or is `before` in front of it? */
bool lh_python_name_ends(const struct lh_python_walk *walk, uintptr_t address, const char *end,
                         char before);

#endif
