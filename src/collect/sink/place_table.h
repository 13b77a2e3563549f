/* SPDX-License-Identifier: Apache-2.0 */
/* The places that a program's reports named, added up, and as a table. Collector only; one thread a
 * sink. */
#ifndef LH_COLLECT_SINK_PLACE_TABLE_H
#define LH_COLLECT_SINK_PLACE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/sink/text_parts.h"
#include "common/event.h"

#define LH_PLACE_STALL "stall"

/* What happened at one place. */
struct lh_place_row {
    uint64_t fingerprint; /* of the place: lh_fingerprint(); 0: nobody knows */
    char what[64];        /* a call, or LH_PLACE_STALL */
    char where[256];      /* "?": nobody knows */
    char source[128];
    uint64_t count;
    uint64_t total_ns;
    uint64_t worst_ns;
    uint64_t shown_id;  /* its stack was last shown with this report (0: never) … */
    int64_t shown_ns;   /* … then (CLOCK_REALTIME) */
    bool advised;       /* its advice has been shown … */
    int64_t advised_ns; /* … then, likewise */
};

/* A sum of times that a program tells, which may be any: not beyond what there is. */
static inline uint64_t lh_place_sum_ns(uint64_t a, uint64_t b)
{
    return b < UINT64_MAX - a ? a + b : UINT64_MAX;
}

struct lh_place_table;

struct lh_place_table *lh_place_table_new(void); /* NULL: out of memory */
void lh_place_table_free(struct lh_place_table *table);

/* The row of what happened at the place with this fingerprint, which may be a new one. `frame`: the
 * one to look at; NULL: there is none. Returns NULL when there is no memory, or there are too many.
 * Rows stay where they are. */
struct lh_place_row *lh_place_table_row(struct lh_place_table *table, const char *what,
                                        uint64_t fingerprint, const struct lh_frame *frame,
                                        const char *cwd);

/* What all rows come to. */
struct lh_place_sums {
    uint64_t blocks;
    uint64_t blocked_ns;
    uint64_t stalls;
    uint64_t stalled_ns;
};

struct lh_place_sums lh_place_table_sums(const struct lh_place_table *table);

/* The rows with the largest totals, at most ten of them. */
void lh_place_table_print(struct lh_place_table *table, struct lh_text *text,
                          const struct lh_text_style *style);

#endif
