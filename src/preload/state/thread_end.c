/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing of the end of a loop thread. See thread_end.h. */
#include "preload/state/thread_end.h"

#include <pthread.h>

#include "preload/sys/threads.h"

static pthread_key_t slot_key;
static bool slot_key_made;
static void (*_Atomic ends)(struct lh_slot *slot);

static void thread_ends(void *slot)
{
    if (lh_self.slot == slot)
        atomic_load (&ends)(slot);
}

void lh_thread_end_init(void)
{
    slot_key_made = lh_pthread_key_create(&slot_key, thread_ends) == 0;
}

void lh_thread_end_watch(struct lh_slot *slot, void (*on_end)(struct lh_slot *slot))
{
    if (!slot_key_made)
        return;
    atomic_store(&ends, on_end);
    lh_pthread_setspecific(slot_key, slot);
}
