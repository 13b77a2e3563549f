/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over what a program sent, of which nothing is believed before it is checked. */
#ifndef LH_COLLECT_LINK_RING_MAP_H
#define LH_COLLECT_LINK_RING_MAP_H

#include "common/ring.h"

/* Maps the ring behind a descriptor: 0, or -EPERM (not sealed against shrinking, so that reading it
 * could kill us), -EPROTO (not this layout), or the errno of mmap. */
int lh_ring_map(struct lh_ring **ring, int fd);
void lh_ring_unmap(struct lh_ring *ring);

/* Says in the ring that it has a reader: 0, or -EBUSY (the program has lost its patience, and reads
 * it itself). The thread that then does puts its own number there: ring_thread.h. */
int lh_ring_claim(struct lh_ring *ring);

/* A private copy of the header, made and checked; it ends where the cells begin. -EPROTO: a string
 * does not end, an option is out of its range; or the errno of mmap. */
int lh_ring_map_header(struct lh_ring **header, const struct lh_ring *ring);
void lh_ring_unmap_header(struct lh_ring *header);

/* Copies the totals of the ring into the private header. */
void lh_copy_totals(struct lh_totals *to, const struct lh_totals *from);

/* Is it an open /proc/PID/maps? 0 or -EINVAL. */
int lh_ring_map_check_maps(int fd);

#endif
