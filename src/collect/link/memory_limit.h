/* SPDX-License-Identifier: Apache-2.0 */
/* The most memory that the collector takes, with what it keeps for all its programs: over that, it
 * gives up what it can read again, what was used least lately first. Any of its threads. */
#ifndef LH_COLLECT_LINK_MEMORY_LIMIT_H
#define LH_COLLECT_LINK_MEMORY_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LH_MEMORY_LIMIT (256u << 20)

/* What it is to do for that, as parameters for tests. */
struct lh_memory_ways {
    uint64_t (*own)(void);       /* lh_memory_own() */
    bool (*forget_oldest)(void); /* lh_elf_forget_oldest() */
    int (*trim)(size_t bytes);   /* malloc_trim(3) */
};

/* All zero: nothing was looked at yet. */
struct lh_memory_limit {
    _Atomic int64_t look_ns; /* CLOCK_MONOTONIC: not before */
    _Atomic uint64_t floor;  /* what could not be given up the last time */
    _Atomic uint32_t rounds; /* raised when each program's own is to be given up, too */
};

/* Looks now and then, and does what there is to be done. */
void lh_memory_limit_look(struct lh_memory_limit *limit, const struct lh_memory_ways *ways,
                          int64_t now_ns);

/* The collector's own, for each thread of a ring after what it has told: true, this program is to
 * give up what it has; *seen is the thread's. */
bool lh_memory_give_up(uint32_t *seen);

#endif
