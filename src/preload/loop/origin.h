/* SPDX-License-Identifier: Apache-2.0 */
/* Which library a call comes from, as far as that says what its waits are.
 *
 * Runs on the program's threads, a few times for each call site of the process: takes a lock of the
 * dynamic linker's, which no constructor runs under; raw system calls, errno stays. */
#ifndef LH_PRELOAD_LOOP_ORIGIN_H
#define LH_PRELOAD_LOOP_ORIGIN_H

#include <stdint.h>

enum lh_origin {
    LH_ORIGIN_UNKNOWN, /* not looked for yet */
    LH_ORIGIN_ANY,
    LH_ORIGIN_LOOP,        /* a library whose event loop waits with an eventfd to be woken by */
    LH_ORIGIN_SYNCHRONOUS, /* one whose plain calls run a loop for as long as they last, wake-up and
                              all, and then return to a program that need not be an event loop */
};

enum lh_origin lh_origin_of(uintptr_t site);

#endif
