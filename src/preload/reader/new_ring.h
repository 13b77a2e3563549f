/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the ring: a memfd that can neither shrink nor grow (memfd_create(2)), mapped into this
 * process and into no child of it. */
#ifndef LH_PRELOAD_READER_NEW_RING_H
#define LH_PRELOAD_READER_NEW_RING_H

#include "common/ring.h"

/* Becomes the process's ring, at the address of `old`, with what stands in that, if there is one.
 * `problem`: what else cannot be seen, a line; NULL: nothing. Returns its descriptor or a negative
 * errno: no memory, no memfd. Watchdog only. */
int lh_new_ring(struct lh_ring *old, const char *problem);

#endif
