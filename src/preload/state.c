/* The library's state. Runs on the program's threads; raw system calls only. */
#include "preload/state.h"

#include <string.h>

#include "preload/sampler.h"
#include "preload/sys.h"

LH_HIDDEN __thread struct lh_thread lh_self;
LH_HIDDEN struct lh_process *lh_process;
LH_HIDDEN struct lh_options lh_options;
LH_HIDDEN _Atomic uint32_t lh_time_all_calls;

void lh_say_once(_Atomic uint32_t *once, const char *text)
{
    if (atomic_exchange(once, 1) == 0)
        lh_syscall3(SYS_write, 2, (long)text, (long)strlen(text));
}

static void count_slot(uint32_t number)
{
    uint32_t used = atomic_load(&lh_process->slots_used);
    while (used < number && !atomic_compare_exchange_weak(&lh_process->slots_used, &used, number))
        ;
}

struct lh_slot *lh_slot_take(uint32_t tid)
{
    for (uint32_t i = 0; i < LH_SLOTS; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        uint32_t nobody = 0;
        if (!atomic_compare_exchange_strong(&slot->tid, &nobody, tid))
            continue;
        atomic_store(&slot->sp, 0);
        atomic_store(&slot->parked, 0);
        atomic_store(&slot->rate_window, 0);
        atomic_store(&slot->turn, 0);
        atomic_store(&slot->told, 0);
        slot->iteration.turn = 0;
        slot->allow_start = 0;
        slot->awaits_victims = false;
        atomic_store(&slot->marked, 0);
        atomic_store(&slot->baseline.turn, 0);
        slot->look_turn = 0;
        atomic_store(&slot->skipped, 0);
        count_slot(i + 1);
        return slot;
    }
    return NULL;
}

/* seq goes on counting for the next owner: marks and reports of this one can never match its calls.
 */
void lh_slot_release(struct lh_slot *slot)
{
    atomic_store(&slot->sp, 0);
    atomic_store(&slot->parked, 1);
    lh_sampler_free(slot);
    atomic_store(&slot->tid, 0);
}

bool lh_process_is_ours(void)
{
    uint32_t pid = atomic_load(&lh_process->pid);
    return pid != 0 && pid == (uint32_t)lh_syscall0(SYS_getpid);
}
