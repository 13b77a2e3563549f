/* SPDX-License-Identifier: Apache-2.0 */
/* The library's state. Runs on the program's threads; raw system calls only. */
#include "preload/state/state.h"

#include <string.h>

#include "preload/python/interpreter.h"
#include "preload/python/threads.h"
#include "preload/state/image.h"
#include "preload/state/meet.h"
#include "preload/sys/syscall.h"

LH_HIDDEN __thread struct lh_thread lh_self;
LH_HIDDEN struct lh_process *lh_process;
LH_HIDDEN struct lh_options lh_options;
LH_HIDDEN _Atomic lh_noise_set lh_noise_now;
LH_HIDDEN struct lh_image lh_image;
LH_HIDDEN _Atomic uint32_t lh_time_all_calls;
LH_HIDDEN void (*lh_meet_ask)(bool ask);
LH_HIDDEN bool (*lh_meet)(void);

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

static struct lh_slot *none_free(void)
{
    static _Atomic uint32_t said;
    atomic_fetch_sub(&lh_process->slots_taken, 1);
    _Static_assert(LH_SLOTS == 4096, "what is said");
    lh_say_once(&said,
                "loophound: more than 4096 loop threads at the same time; the others are not "
                "watched\n");
    return NULL;
}

struct lh_slot *lh_slot_take(uint32_t tid)
{
    if (atomic_fetch_add(&lh_process->slots_taken, 1) >= LH_SLOTS)
        return none_free();
    for (uint32_t i = 0; i < LH_SLOTS; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        uint32_t nobody = 0;
        if (!atomic_compare_exchange_strong(&slot->tid, &nobody, tid))
            continue;
        atomic_store(&slot->sp, 0);
        atomic_store(&slot->parked, 0);
        atomic_store(&slot->rate_window, 0);
        atomic_store(&slot->iteration_id, 0);
        atomic_store(&slot->progress, 0);
        atomic_store(&slot->accounts.iteration_id, 0);
        slot->allow_start = 0;
        slot->awaits_victims = false;
        atomic_store(&slot->marked, 0);
        atomic_store(&slot->baseline.iteration_id, 0);
        slot->tick_iteration = 0;
        slot->tick_turn = 0;
        atomic_store(&slot->left_iteration, 0);
        memset(&slot->home, 0, sizeof(slot->home));
        atomic_store(&slot->gave_away, 0);
        atomic_store(&slot->inlined.is, 0);
        atomic_store(&slot->inlined.met, 0);
        atomic_store(&slot->inlined.ended, 0);
        atomic_store(&slot->inlined.stands_by, 0);
        slot->tick_at = 0;
        atomic_store(&slot->gil_iteration, 0);
        slot->running.iteration_id = 0;
        slot->waited_in.iteration_id = 0;
        atomic_store(&slot->seen_iteration, 0);
        atomic_store(&slot->no_signal, 0);
        atomic_store(&slot->skipped, 0);
        atomic_store(&slot->reports, 0);
        count_slot(i + 1);
        return slot;
    }
    return none_free();
}

bool lh_slot_is(const void *address)
{
    uintptr_t offset = (uintptr_t)address - (uintptr_t)lh_process->slots;
    return offset < sizeof(lh_process->slots) && offset % sizeof(struct lh_slot) == 0;
}

/* seq goes on counting for the next owner: marks and reports of this one can never match its calls.
 */
void lh_slot_release(struct lh_slot *slot)
{
    atomic_store(&slot->sp, 0);
    atomic_store(&slot->parked, 1);
    slot->epfd = -1; /* before its next owner's number is there: others look for who has a set */
    atomic_store(&slot->tid, 0);
    atomic_fetch_sub(&lh_process->slots_taken, 1);
}

void lh_slot_note_python(struct lh_slot *slot)
{
    if (lh_python_is_loaded() && lh_python_find() == 0)
        slot->python_thread = lh_python_thread_state();
    lh_python_threads_learn(slot->python_thread);
    if (slot->isolate == 0)
        slot->isolate = lh_v8_isolate();
}

bool lh_process_is_ours(void)
{
    uint32_t pid = atomic_load(&lh_process->pid);
    return pid != 0 && pid == (uint32_t)lh_syscall0(SYS_getpid);
}
