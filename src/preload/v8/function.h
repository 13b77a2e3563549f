/* SPDX-License-Identifier: Apache-2.0 */
/* What a function of JavaScript is called, and where it stands. See heap.h for who may call what.
 */
#ifndef LH_PRELOAD_V8_FUNCTION_H
#define LH_PRELOAD_V8_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/v8/tables.h"
#include "preload/v8/walker.h"

/* What a function is at. */
struct lh_v8_about {
    enum lh_js_about kind;
    uintptr_t text; /* a string */
    uint64_t amount;
};

/* A frame that has been found, and what is known of it so far. */
struct lh_v8_seen {
    enum lh_js_kind kind;
    uintptr_t fp;
    uintptr_t shared;               /* the SharedFunctionInfo */
    uintptr_t function;             /* the JSFunction; 0: not known */
    uintptr_t receiver;             /* its `this`; 0: not known, or it is a constructor */
    struct lh_v8_position position; /* .offset 0: not known */
    struct lh_v8_about about;
};

/* Stores it into walk->record, behind those that are there. False: there is no room, or it is no
 * function. */
bool lh_v8_store(struct lh_v8_walk *walk, const struct lh_v8_seen *seen);

#endif
