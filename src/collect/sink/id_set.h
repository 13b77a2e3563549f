/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that lines of a file have given a meaning to. One thread at a time. */
#ifndef LH_COLLECT_SINK_ID_SET_H
#define LH_COLLECT_SINK_ID_SET_H

#include <stdbool.h>
#include <stdint.h>

#define LH_IDS_MAX                                                                                 \
    (1u << 16) /* with more of them it begins anew: what is forgotten is told again */

/* A frame, or the outer part of a stack, or a whole one. */
struct lh_known {
    uint64_t id;
    uint64_t stack;  /* in whose line it is; 0: of a frame */
    uint32_t frames; /* the outermost ones of that stack, so many, are it */
};

/* Zeroed: empty. */
struct lh_id_set {
    struct lh_known *slots; /* id 0: free */
    uint32_t size;          /* a power of two, or 0 */
    uint32_t count;
};

/* NULL: it is not in it. An id of 0 never is. */
const struct lh_known *lh_id_set_find(const struct lh_id_set *set, uint64_t id);

/* Without memory it is left out. What is in it stays as it is. */
void lh_id_set_add(struct lh_id_set *set, const struct lh_known *known);
void lh_id_set_add_all(struct lh_id_set *set, const struct lh_id_set *others);
void lh_id_set_clear(struct lh_id_set *set); /* and frees its memory */

#endif
