/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of instances of classes written in Python. See interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_ATTRIBUTE_H
#define LH_PRELOAD_PYTHON_ATTRIBUTE_H

#include "preload/python/walker.h"

/* The object that is this attribute of the instance, as its dict has it; 0: none, or it cannot be
 * told. */
uintptr_t lh_python_attribute(const struct lh_python_walk *walk, uintptr_t object,
                              const char *name);

/* What the dict, which has names as keys, has for this one; 0: nothing, or it cannot be told. */
uintptr_t lh_python_dict_value(const struct lh_python_walk *walk, uintptr_t dict, const char *name);

#endif
