/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_OUTPUT_LIMIT: how much may be written, as a bucket that fills with time and holds a
 * second's worth.
 *
 * In the program and in the collector; one thread at a time for one bucket. No clock is read here.
 * A limit is in bytes a second, 0: there is none. Times are CLOCK_MONOTONIC. */
#ifndef LH_COMMON_BUCKET_H
#define LH_COMMON_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By the time at which it was, or will be, empty: nothing is lost by rounding. All zero: full. */
struct lh_bucket {
    int64_t empty_ns;
};

/* Takes `length` bytes out. False: so many are not in it, and it stays as it is. What is longer
 * than a whole bucket goes out of a full one, and is made up for later. */
bool lh_bucket_take(struct lh_bucket *bucket, uint64_t limit, size_t length, int64_t now_ns);

/* The same of one of `writers` that share `all`. Half of that is for whoever comes first; the other
 * half is divided evenly, and `own` has what is left of this writer's part. So one that writes
 * without end has all that the others leave, and keeps none of them from writing. */
bool lh_bucket_take_share(struct lh_bucket *all, struct lh_bucket *own, unsigned writers,
                          uint64_t limit, size_t length, int64_t now_ns);

/* Takes out what must be written, or as much of it as there is. */
void lh_bucket_take_anyway(struct lh_bucket *bucket, uint64_t limit, size_t length, int64_t now_ns);

#endif
