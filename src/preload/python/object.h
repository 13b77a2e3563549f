/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the interpreter, as the walk needs them. See interpreter.h for who may call what: no
 * pointer is followed but through walk->view; what cannot be read is 0, false. */
#ifndef LH_PRELOAD_PYTHON_OBJECT_H
#define LH_PRELOAD_PYTHON_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/python/walker.h"

#define LH_PYTHON_WORD sizeof(uintptr_t)

/* Since 3.14 a reference has two bits of its own (pycore_stackref.h). No object is there anyway. */
#define LH_PYTHON_REFERENCE_BITS ((uintptr_t)3)

/* PyTypeObject: tp_basicsize, tp_flags, tp_base, tp_dictoffset, in words after the header; the same
 * since 3.8. */
enum {
    LH_PYTHON_TYPE_SIZE = 2,
    LH_PYTHON_TYPE_FLAGS = 19,
    LH_PYTHON_TYPE_BASE = 30,
    LH_PYTHON_TYPE_DICT_OFFSET = 34,
};

/* Copies `size` bytes at `address`. Returns 0, or -EFAULT. */
static inline int lh_python_read(const struct lh_python_walk *walk, void *to, uintptr_t address,
                                 size_t size)
{
    return lh_view_read(&walk->view, to, address, size);
}

uintptr_t lh_python_word(const struct lh_python_walk *walk, uintptr_t address);

/* The word `offset` bytes behind the object's header. */
uintptr_t lh_python_member(const struct lh_python_walk *walk, uintptr_t object, uintptr_t offset);

uintptr_t lh_python_type(const struct lh_python_walk *walk, uintptr_t object);

/* Has the type this name (tp_name)? */
bool lh_python_type_is(const struct lh_python_walk *walk, uintptr_t type, const char *name);

/* Does this text, up to its NUL, stand at the address? */
bool lh_python_text_is(const struct lh_python_walk *walk, uintptr_t address, const char *expected);

/* Is the object an instance of a class with this name (tp_name), or of one derived from it? */
bool lh_python_is_a(const struct lh_python_walk *walk, uintptr_t object, const char *name);

/* The number that an int is, from 0 to 2^60. False: it is none, or another one. */
bool lh_python_number(const struct lh_python_walk *walk, uintptr_t object, uint64_t *number);

/* Is the object this str, which is of ASCII characters? */
bool lh_python_string_is(const struct lh_python_walk *walk, uintptr_t object, const char *expected);

#endif
