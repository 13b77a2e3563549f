/* SPDX-License-Identifier: Apache-2.0 */
/* Places that were told. See places.h. */
#include "preload/state/places.h"

#include "preload/state/record.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

#define PROBES 16u /* neighbours in which a place may be */

static void count(struct lh_told_place *told, uint64_t elapsed_ns)
{
    atomic_fetch_add_explicit(&told->again, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&told->again_ns, elapsed_ns, memory_order_relaxed);
}

/* Others may count there already: what was counted is zero since the last scope's end. */
static uint64_t begin(struct lh_told_place *told, uint32_t call)
{
    uint64_t id = lh_report_id();
    told->call = call;
    atomic_store(&told->id, id);
    atomic_store(&lh_process->places_told, 1);
    return id;
}

uint64_t lh_place_take(uint64_t place, uint32_t call, uint64_t elapsed_ns)
{
    for (uint64_t i = 0; i < PROBES && place != 0; i++) {
        uint64_t at = (place + i) % LH_TOLD_PLACES;
        _Atomic uint64_t *key = &lh_process->told_keys[at];
        uint64_t now = 0;
        if (atomic_load_explicit(key, memory_order_acquire) != place &&
            atomic_compare_exchange_strong(key, &now, place))
            return begin(&lh_process->told_places[at], call);
        if (atomic_load_explicit(key, memory_order_acquire) == place) {
            count(&lh_process->told_places[at], elapsed_ns);
            return 0;
        }
    }
    return lh_report_id();
}

static void tell(struct lh_told_place *told)
{
    uint64_t again = atomic_exchange(&told->again, 0);
    uint64_t again_ns = atomic_exchange(&told->again_ns, 0);
    uint64_t id = atomic_exchange(&told->id, 0);
    if (again == 0 || id == 0) /* none, or it has begun just now */
        return;
    const struct lh_call_copy copy = {.call = told->call, .tid = (uint32_t)lh_syscall0(SYS_gettid)};
    struct lh_record *record = lh_record_begin(LH_EVENT_REPEATED, &copy, again_ns, true);
    if (record == NULL)
        return;
    record->thread[0] = '\0'; /* it is about no thread */
    record->tid = atomic_load(&lh_process->pid);
    record->id = id;
    record->reason = LH_REASON_STRICT;
    record->group = lh_call_info(told->call)->group;
    record->again = again;
    lh_record_publish(record);
}

void lh_places_end(void)
{
    if (lh_process == NULL || atomic_load(&lh_process->places_told) == 0 || !lh_process_is_ours())
        return;
    uint64_t signals = lh_signals_block();
    atomic_store(&lh_process->places_told, 0);
    for (uint32_t at = 0; at < LH_TOLD_PLACES; at++) {
        if (atomic_load(&lh_process->told_keys[at]) == 0)
            continue;
        tell(&lh_process->told_places[at]);
        atomic_store(&lh_process->told_keys[at], 0);
    }
    lh_signals_restore(signals);
}
