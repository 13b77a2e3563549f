/* SPDX-License-Identifier: Apache-2.0 */
/* See memory_limit.h. Runs on the threads of the rings.
 *
 * What libdw takes for a file nobody knows beforehand, so memory is measured and not added up. What
 * was freed goes back to the kernel: else it would be measured again. */
#include "collect/link/memory_limit.h"

#include <malloc.h>

#include "collect/stack/elf_file.h"
#include "collect/sys/clock.h"
#include "collect/sys/memory.h"
#include "common/units.h"

#define LOOK_NS    (200 * LH_NS_PER_MS)
#define ENOUGH     (LH_MEMORY_LIMIT / 4 * 3) /* so much may stay: there is room for a while */
#define WORTH_MORE (LH_MEMORY_LIMIT / 4)     /* what there was nothing to give up for, grows so */

/* Is it this thread's turn? */
static bool is_due(struct lh_memory_limit *limit, int64_t now_ns)
{
    int64_t due_ns = atomic_load(&limit->look_ns);
    return now_ns >= due_ns &&
           atomic_compare_exchange_strong(&limit->look_ns, &due_ns, now_ns + LOOK_NS);
}

void lh_memory_limit_look(struct lh_memory_limit *limit, const struct lh_memory_ways *ways,
                          int64_t now_ns)
{
    if (!is_due(limit, now_ns))
        return;
    uint64_t own = ways->own();
    uint64_t floor = atomic_load(&limit->floor);
    if (own > LH_MEMORY_LIMIT && floor != 0 && own < floor + WORTH_MORE)
        return;
    bool over = own > LH_MEMORY_LIMIT;
    while (over && own > ENOUGH && ways->forget_oldest()) {
        (void)ways->trim(0);
        own = ways->own();
    }
    if (own > LH_MEMORY_LIMIT)
        atomic_fetch_add(&limit->rounds, 1);
    atomic_store(&limit->floor, own > LH_MEMORY_LIMIT ? own : 0);
}

bool lh_memory_give_up(uint32_t *seen)
{
    static const struct lh_memory_ways ways = {lh_memory_own, lh_elf_forget_oldest, malloc_trim};
    static struct lh_memory_limit limit;
    lh_memory_limit_look(&limit, &ways, lh_monotonic_ns());
    uint32_t rounds = atomic_load(&limit.rounds);
    bool mine = rounds != *seen;
    *seen = rounds;
    return mine;
}
