/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a stall went, in words. See text_parts.h. */
#include <inttypes.h>

#include "collect/sink/text_parts.h"
#include "common/calls.h"
#include "common/units.h"

/* ", 12 ms waiting for the GIL", where it says something. */
static void add_part(struct lh_text *text, const char **before, uint64_t ns, const char *what)
{
    if (ns == LH_UNKNOWN || ns < LH_NS_PER_MS)
        return;
    lh_text_string(text, *before);
    lh_text_elapsed(text, ns, 10);
    lh_text_format(text, " %s", what);
    *before = ", ";
}

/* It is a part of the wait for a processor, which stands before it. */
static void add_throttled(struct lh_text *text, uint64_t ns)
{
    if (ns == LH_UNKNOWN || ns < LH_NS_PER_MS)
        return;
    lh_text_string(text, ", throttled ");
    lh_text_elapsed(text, ns, 10);
    lh_text_string(text, " by its cgroup (cpu.max)");
}

void lh_text_accounts(struct lh_text *text, const struct lh_stall *stall)
{
    const char *before = ": ";
    add_part(text, &before, stall->oncpu_ns, "on the CPU");
    add_part(text, &before, stall->blocked_ns, "blocked");
    add_part(text, &before, stall->runqueue_ns, "waiting for a processor");
    add_throttled(text, stall->throttled_ns);
    add_part(text, &before, stall->gil_ns, "waiting for the GIL");
    if (stall->major_faults != LH_UNKNOWN && stall->major_faults > 0)
        lh_text_format(text, "%s%" PRIu64 " page fault%s read from a disk", before,
                       stall->major_faults, lh_text_plural(stall->major_faults));
}

void lh_text_stall_calls(struct lh_text *text, const struct lh_stall *stall)
{
    for (uint32_t i = 0; i < stall->call_count; i++) {
        const struct lh_stall_call *call = &stall->calls[i];
        if (call->total_ns < LH_NS_PER_MS)
            continue;
        lh_text_format(text, "  %s %" PRIu32 " time%s, ", lh_call_info(call->call)->canonical,
                       call->count, lh_text_plural(call->count));
        lh_text_elapsed(text, call->total_ns, 10);
        lh_text_char(text, '\n');
    }
    if (stall->last_call_ns != 0) {
        lh_text_format(text, "  %s, its last call, in the ",
                       lh_call_info(stall->last_call)->canonical);
        lh_text_elapsed(text, stall->last_call_ns, 10);
        lh_text_string(text, " before it ended\n");
    }
}
