/* SPDX-License-Identifier: Apache-2.0 */
/* See bucket.h. Plain arithmetic: bytes are the time that they take at the limit. */
#include "common/bucket.h"

#include "common/units.h"

#define WHOLE_NS    ((int64_t)LH_NS_PER_S) /* how long it takes to fill */
#define HALF_NS     (WHOLE_NS / 2)
#define WRITERS_MAX 4096u /* more have parts too small for a report */

/* Of a whole report (LH_SINK_BYTES) no such product runs over. */
static int64_t cost_ns(uint64_t limit, size_t length)
{
    return (int64_t)(length * LH_NS_PER_S / limit);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What is in it. Negative: more than there was has been taken. */
static int64_t level_ns(const struct lh_bucket *bucket, int64_t now_ns, int64_t most_ns)
{
    return least(now_ns - bucket->empty_ns, most_ns);
}

static void set_level(struct lh_bucket *bucket, int64_t now_ns, int64_t level)
{
    bucket->empty_ns = now_ns - level;
}

bool lh_bucket_take(struct lh_bucket *bucket, uint64_t limit, size_t length, int64_t now_ns)
{
    if (limit == 0)
        return true;
    int64_t level = level_ns(bucket, now_ns, WHOLE_NS);
    int64_t cost = cost_ns(limit, length);
    if (level < least(cost, WHOLE_NS))
        return false;
    set_level(bucket, now_ns, level - cost);
    return true;
}

/* A writer's part fills in half a second, too: its limit is that part of the limit. */
bool lh_bucket_take_share(struct lh_bucket *all, struct lh_bucket *own, unsigned writers,
                          uint64_t limit, size_t length, int64_t now_ns)
{
    if (limit == 0)
        return true;
    unsigned parts = writers < 1 ? 1 : writers > WRITERS_MAX ? WRITERS_MAX : writers;
    int64_t level = level_ns(all, now_ns, WHOLE_NS);
    int64_t own_level = level_ns(own, now_ns, HALF_NS);
    int64_t cost = cost_ns(limit, length);
    int64_t own_cost = cost * parts;
    bool first_come = level - least(cost, HALF_NS) >= HALF_NS;
    bool by_right = own_level >= least(own_cost, HALF_NS) && level >= least(cost, HALF_NS);
    if (!first_come && !by_right)
        return false;
    set_level(all, now_ns, level - cost);
    if (!first_come)
        set_level(own, now_ns, own_level - own_cost);
    return true;
}

void lh_bucket_take_anyway(struct lh_bucket *bucket, uint64_t limit, size_t length, int64_t now_ns)
{
    if (limit == 0)
        return;
    int64_t level = level_ns(bucket, now_ns, WHOLE_NS);
    if (level > 0)
        set_level(bucket, now_ns, level - least(cost_ns(limit, length), level));
}
