/* SPDX-License-Identifier: Apache-2.0 */
/* The samples of one process's long iterations, added up until the stall they belong to is told.
 *
 * Used by the thread of one ring. Frames are copied: what they point to may go. */
#ifndef LH_COLLECT_REPORT_PROFILE_H
#define LH_COLLECT_REPORT_PROFILE_H

#include <stdint.h>

#include "common/event.h"
#include "common/record.h"

struct lh_profile;

struct lh_profile *lh_profile_new(void); /* NULL: out of memory */
void lh_profile_free(struct lh_profile *profile);

/* Adds a sample to those of its thread's iteration; those of an earlier iteration are forgotten. A
 * sample too many, or for which there is no memory, is left out. */
void lh_profile_add(struct lh_profile *profile, const struct lh_record *record,
                    const struct lh_frame *frames, uint32_t frame_count);

/* The samples of this stall, those that stand for most of it first; valid until the next call.
 * Returns their number. */
uint32_t lh_profile_take(struct lh_profile *profile, const struct lh_record *stall,
                         const struct lh_sample **samples);

#endif
