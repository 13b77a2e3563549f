/* SPDX-License-Identifier: Apache-2.0 */
/* What an object of JavaScript has itself, in the order in which it was given it. See heap.h for
 * who may call what. */
#ifndef LH_PRELOAD_V8_PROPERTY_H
#define LH_PRELOAD_V8_PROPERTY_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/walker.h"

struct lh_v8_property {
    uintptr_t key;   /* a string or a symbol */
    uintptr_t value; /* 0: it is found out by a function, or cannot be read */
};

/* How many an object has; 0 of one that keeps them in a dictionary. */
uint32_t lh_v8_property_count(struct lh_v8_walk *walk, uintptr_t object);

/* That with this number, which is less than their count. False: it cannot be read. */
bool lh_v8_property(struct lh_v8_walk *walk, uintptr_t object, uint32_t number,
                    struct lh_v8_property *property);

/* The value of the one with this name, of ASCII characters, among those from number `from` up to
 * `end`, or in a small dictionary; 0: it is not there. */
uintptr_t lh_v8_property_named(struct lh_v8_walk *walk, uintptr_t object, const char *name,
                               uint32_t from, uint32_t end);

#endif
