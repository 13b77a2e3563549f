/* SPDX-License-Identifier: Apache-2.0 */
/* Which frame of a park's stack is that of the function that runs the loop: the collector's part of
 * src/preload/state/home.h. Plain data; any thread. */
#ifndef LH_COLLECT_STACK_HOME_H
#define LH_COLLECT_STACK_HOME_H

#include <stdint.h>

#include "collect/stack/unwind.h"
#include "common/ring.h"

/* What a function's name says of it. */
enum lh_home_role {
    LH_ROLE_NONE,
    LH_ROLE_TURNS, /* runs a loop, or one turn of it: as it is called */
    LH_ROLE_RUNS,
    LH_ROLE_MADE, /* code that was made at run time, whose return addresses may be changed */
    LH_ROLE_MAIN,
    LH_ROLE_CALLS_MAIN, /* what it calls runs the program; and then what ends it */
};
enum lh_home_role lh_home_role_of(const char *function); /* NULL: has no name */

/* Fills in all but `answers`. `frames`: the park's caller, its caller and so on; `roles` says what
 * their names do. A frame whose return address is not where it should be ends what is known. */
void lh_home_fill(struct lh_home *home, const struct lh_record *record,
                  const struct lh_native_frame *frames, const enum lh_home_role *roles,
                  uint32_t count);

#endif
