/* The descriptor by which a loop on poll or select is known: see turns.h for the rule. Runs on the
 * program's threads; raw system calls, the program's memory read safely; errno stays. */
#ifndef LH_PRELOAD_ANCHOR_H
#define LH_PRELOAD_ANCHOR_H

#include "preload/turns.h"

/* A loop's park in poll or select. */
struct lh_anchor {
    uintptr_t site;             /* where it is called from; 0: there is none */
    const struct pollfd *array; /* poll's array at the latest park */
    uint32_t index;             /* where in it the anchor was */
    int32_t fd;                 /* the anchor, and which file it is: */
    uint64_t inode;
};

/* Looks for an anchor among the descriptors of a wait at a site that turns like a loop. False, and
 * `anchor` as it was: there is none. */
bool lh_anchor_find(struct lh_anchor *anchor, const struct lh_wait *wait,
                    const struct lh_turns *turns);

/* Is this wait the park of that loop? */
bool lh_anchor_holds(struct lh_anchor *anchor, const struct lh_wait *wait);

/* Is the anchor still open, and the same file? */
bool lh_anchor_lives(const struct lh_anchor *anchor);

#endif
