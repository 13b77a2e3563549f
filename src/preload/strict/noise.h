/* SPDX-License-Identifier: Apache-2.0 */
/* A call that could have waited: is it noise, by src/noise.def? And where was it made, so that it
 * is told once?
 *
 * Asked at the end of the call, before anything is captured: the thread's own Python frames are
 * read directly, and what their functions are known for is kept (python/marks.h). No malloc, no
 * locks, errno stays. */
#ifndef LH_PRELOAD_STRICT_NOISE_H
#define LH_PRELOAD_STRICT_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/noise.h"
#include "preload/state/state.h"

struct lh_noise_look {
    enum lh_noise noise; /* LH_NOISE_NONE: of no class that is on … */
    enum lh_noise off;   /* … but of this one, which is off */
    bool asked;          /* a rule that begins with `!` may match: it is told, and the collector,
                            which knows all of the facts, has the last word */
    uint64_t place;      /* of what is told, a number for the call and where it was made; 0: not
                            known */
};

/* The call that stands in the slot, which is the calling thread's, and has ended with this error.
 */
struct lh_noise_look lh_noise_look(const struct lh_slot *slot, int error);

/* The same before a call that is about a path, of which the question whether it could wait costs
 * more: the class that will keep it quiet, whatever the answer. LH_NOISE_NONE: not known yet. The
 * slot is the calling thread's. No system calls where that was asked before. */
enum lh_noise lh_noise_look_ahead(struct lh_slot *slot, uint32_t call);

/* Is the call in flight in another thread's slot of a class that keeps it quiet however long it
 * takes? In strict mode, so that what is told does not depend on the machine. Any thread. */
bool lh_noise_covers(const struct lh_slot *slot);

/* Is this class no noise any more when the call takes the threshold? */
static inline bool lh_noise_is_brief(enum lh_noise noise)
{
    return noise == LH_NOISE_LOCK_HANDOFF;
}

/* One more call that is quiet. */
void lh_noise_count(enum lh_noise noise);

static inline bool lh_noise_is_on(enum lh_noise noise)
{
    return (lh_noise_set_now() & lh_noise_bit(noise)) != 0;
}

/* The call that the thread is about to make, or has made, is of this class, by what it works on.
 * True: it is quiet, and counted. */
static inline bool lh_noise_quiets(enum lh_noise noise)
{
    if (!lh_noise_is_on(noise)) {
        lh_self.noise_off = noise;
        return false;
    }
    lh_noise_count(noise);
    return true;
}

#endif
