/* SPDX-License-Identifier: Apache-2.0 */
/* What a system call that no wrapper saw works on. Any thread; raw system calls, errno stays. */
#ifndef LH_PRELOAD_STATE_WAITED_IN_H
#define LH_PRELOAD_STATE_WAITED_IN_H

#include "preload/state/resource.h"

/* By its number and its first argument; nothing is filled in where that names nothing. `own` as of
 * lh_resource_fill(). */
void lh_waited_in_fill(struct lh_resource *resource, long number, uint64_t first, bool own);

#endif
