/* SPDX-License-Identifier: Apache-2.0 */
/* Which names of threads more than one thread has. Used by the thread of one ring. */
#ifndef LH_COLLECT_SINK_THREAD_NAMES_H
#define LH_COLLECT_SINK_THREAD_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"

#define LH_THREADS_REMEMBERED 128u /* of more, the oldest is forgotten */

/* All zero: no thread was seen. */
struct lh_thread_names {
    uint32_t next;
    struct {
        uint32_t tid; /* 0: none */
        char name[LH_THREAD_NAME];
    } threads[LH_THREADS_REMEMBERED];
};

/* Takes note of a thread and its name. True: another one has, or had, the same. */
bool lh_thread_name_is_shared(struct lh_thread_names *names, uint32_t tid, const char *name);

#endif
