/* From a program's records to its reports: stacks, samples, holders and victims put together.
 *
 * Used by the thread of one ring. */
#ifndef LH_COLLECT_REPORTER_H
#define LH_COLLECT_REPORTER_H

#include <stdint.h>

#include "collect/sink.h"
#include "collect/stack.h"
#include "common/ring.h"

struct lh_reporter;

struct lh_reporter_setup {
    const struct lh_ring *header; /* these three outlive the reporter */
    struct lh_stacks *stacks;
    struct lh_sink *sink;
};

struct lh_reporter *lh_reporter_new(const struct lh_reporter_setup *setup); /* NULL: no memory */
void lh_reporter_free(struct lh_reporter *reporter);

/* Takes what was read at `position` of the ring: tells it, keeps it for a later one, or holds it
 * back for at most LH_HELD_NS. Returns how many reports were lost for want of a sink. */
uint32_t lh_reporter_take(struct lh_reporter *reporter, const struct lh_record *checked,
                          uint64_t position);

/* Tells what has been held back too long, or all of it. Returns as above. */
uint32_t lh_reporter_release(struct lh_reporter *reporter, bool all);

/* Up to where all has been told, of what was read up to `position`. */
uint64_t lh_reporter_told(const struct lh_reporter *reporter, uint64_t position);

/* In how many ns something is to be released; at most `most_ns`. */
int64_t lh_reporter_due_ns(const struct lh_reporter *reporter, int64_t most_ns);

#endif
