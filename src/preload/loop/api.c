/* SPDX-License-Identifier: Apache-2.0 */
/* The public C interface, include/loophound.h. Runs on the program's threads. */
#include "loophound.h"

#include <errno.h>

#include "common/noise.h"
#include "common/version.h"
#include "preload/loop/loop.h"
#include "preload/process/lifecycle.h"
#include "preload/state/places.h"
#include "preload/state/state.h"
#include "preload/state/tags.h"
#include "preload/sys/clock.h"

#define EXPORTED      __attribute__((visibility("default")))
#define FLUSH_WAIT_MS 5000

EXPORTED int loophound_loop_enter(void)
{
    int saved_errno = errno;
    int error = lh_loop_declare(LH_FOUND_BY_API);
    errno = saved_errno;
    return error;
}

EXPORTED int loophound_loop_leave(void)
{
    lh_loop_leave();
    return 0;
}

EXPORTED int loophound_allow_begin(void)
{
    struct lh_slot *slot = lh_self.slot;
    if (slot == NULL)
        lh_self.allow_depth++;
    else if (atomic_fetch_add(&slot->allow_depth, 1) == 0)
        slot->allow_start = lh_counter();
    return 0;
}

EXPORTED int loophound_allow_end(void)
{
    struct lh_slot *slot = lh_self.slot;
    uint32_t depth = slot != NULL ? atomic_load(&slot->allow_depth) : lh_self.allow_depth;
    if (depth == 0)
        return -EINVAL;
    if (slot == NULL) {
        lh_self.allow_depth = depth - 1;
        return 0;
    }
    if (depth == 1)
        lh_stall_allowed(slot);
    atomic_store(&slot->allow_depth, depth - 1);
    return 0;
}

EXPORTED int loophound_mark(const char *id)
{
    int saved_errno = errno;
    lh_places_end();
    lh_tag_test(id);
    errno = saved_errno;
    return 0;
}

EXPORTED int loophound_label(const char *key, const char *value)
{
    return lh_tag_label(key, value);
}

EXPORTED int loophound_labels(const char *pairs)
{
    struct lh_slot *slot = lh_self.slot;
    if (slot != NULL) {
        atomic_store_explicit(&slot->labels_at, (uintptr_t)pairs, memory_order_release);
        lh_slot_fields_follow(); /* the program may put something else where the last ones were */
    }
    return 0;
}

EXPORTED int loophound_noise(const char *list)
{
    lh_noise_set chosen = 0;
    int error = list != NULL ? lh_noise_parse(list, &chosen) : 0;
    if (error == 0)
        atomic_store(&lh_noise_now, chosen);
    return error;
}

EXPORTED uint64_t loophound_count(void)
{
    struct lh_slot *slot = lh_self.slot;
    return atomic_load(&lh_self.reports) + (slot != NULL ? atomic_load(&slot->reports) : 0);
}

EXPORTED int loophound_flush_wait(int milliseconds)
{
    return milliseconds >= 0 ? lh_process_flush(milliseconds * LH_NS_PER_MS) : -EINVAL;
}

static const struct lh_totals *totals(void)
{
    struct lh_ring *ring = lh_process != NULL ? atomic_load(&lh_process->ring) : NULL;
    return ring != NULL ? &ring->totals : NULL;
}

EXPORTED uint64_t loophound_reports(void)
{
    const struct lh_totals *all = totals();
    return all != NULL ? atomic_load(&all->blocks) + atomic_load(&all->stalls) : 0;
}

EXPORTED uint64_t loophound_dropped(void)
{
    const struct lh_totals *all = totals();
    return all != NULL ? atomic_load(&all->dropped) : 0;
}

EXPORTED int loophound_flush(void)
{
    return loophound_flush_wait(FLUSH_WAIT_MS);
}

EXPORTED const char *loophound_version(void)
{
    return LH_VERSION;
}
