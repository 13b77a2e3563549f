/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of the collector that reads one program's ring, memory map and files. */
#ifndef LH_COLLECT_LINK_RING_THREAD_H
#define LH_COLLECT_LINK_RING_THREAD_H

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* What the kernel reads when the thread ends. */
struct lh_ring_mark {
    struct robust_list_head head;
    struct robust_list entry;
};

/* On that thread: `word`, which is shared with the program, has its number from now on, and
 * FUTEX_OWNER_DIED when it has ended, by whatever. `mark` stays until then. glibc's robust mutexes
 * cannot be used on this thread. */
void lh_ring_thread_mark(struct lh_ring_mark *mark, _Atomic uint32_t *word);

/* Starts it, on the driving thread. Returns 0 or a negative errno. */
int lh_ring_thread_start(pthread_t *thread, void *(*serve)(void *), void *argument);

#endif
