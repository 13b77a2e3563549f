/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing of the end of a thread. See thread_end.h. */
#include "preload/state/thread_end.h"

#include <pthread.h>

#include "preload/sys/threads.h"

static pthread_key_t key; /* of a thread that has anything: its lh_self */
static bool key_made;
static void (*_Atomic loop_ends)(struct lh_slot *slot);
static void (*_Atomic labels_end)(struct lh_labels *labels);

static void thread_ends(void *self)
{
    (void)self;
    if (lh_self.slot != NULL && lh_self.slot == lh_self.ending_slot)
        atomic_load (&loop_ends)(lh_self.slot);
    if (lh_self.labels != NULL)
        atomic_load (&labels_end)(lh_self.labels);
    lh_self.labels = NULL;
}

void lh_thread_end_init(void)
{
    key_made = lh_pthread_key_create(&key, thread_ends) == 0;
}

static void watch(void)
{
    bool has_any = lh_self.ending_slot != NULL || lh_self.labels != NULL;
    if (key_made)
        lh_pthread_setspecific(key, has_any ? &lh_self : NULL);
}

void lh_thread_end_watch(struct lh_slot *slot, void (*on_end)(struct lh_slot *slot))
{
    atomic_store(&loop_ends, on_end);
    lh_self.ending_slot = slot;
    watch();
}

void lh_thread_end_watch_labels(void (*on_end)(struct lh_labels *labels))
{
    atomic_store(&labels_end, on_end);
    watch();
}
