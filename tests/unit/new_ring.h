/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of a test's own, zeroed, to be freed with free(3). malloc(3) aligns to 16 bytes, a ring
 * needs more. */
#ifndef LH_TESTS_UNIT_NEW_RING_H
#define LH_TESTS_UNIT_NEW_RING_H

#include <stdlib.h>
#include <string.h>

#include "common/ring.h"

/* NULL: out of memory. */
static inline struct lh_ring *new_ring(void)
{
    struct lh_ring *ring = aligned_alloc(_Alignof(struct lh_ring), sizeof(*ring));
    if (ring != NULL)
        memset(ring, 0, sizeof(*ring));
    return ring;
}

#endif
