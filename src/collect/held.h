/* Reports that wait for their victims: a moment, in the order in which they came.
 *
 * Used by the thread of one ring. */
#ifndef LH_COLLECT_HELD_H
#define LH_COLLECT_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ring.h"

/* A loop whose iteration goes on for longer, or that never parks again, does not keep its reports
 * from being read. */
#define LH_HELD_NS 50000000LL

struct lh_held;

/* One report that is, or was, held. */
struct lh_held_report {
    struct lh_record *record; /* NULL: there is none; else whoever takes it out frees it */
    uint64_t position;        /* in the ring */
    int64_t until_ns;         /* CLOCK_MONOTONIC: then it is to be told without them */
};

struct lh_held *lh_held_new(void); /* NULL: out of memory */
void lh_held_free(struct lh_held *held);

/* Keeps a copy of the record until LH_HELD_NS after `now_ns`. False: no memory, or too many. */
bool lh_held_add(struct lh_held *held, const struct lh_record *record, uint64_t position,
                 int64_t now_ns);

/* The one that has been held longest; its record stays ours. */
struct lh_held_report lh_held_oldest(const struct lh_held *held);

/* Is a stall of this thread among them? */
bool lh_held_has_stall(const struct lh_held *held, uint32_t tid);

/* Takes out the oldest one of this thread, or, with tid 0, of any. */
struct lh_held_report lh_held_take(struct lh_held *held, uint32_t tid);

#endif
