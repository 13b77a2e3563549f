/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames of a stack a person gets to see, and how the others are counted. One thread a sink.
 */
#ifndef LH_COLLECT_SINK_TEXT_FOLD_H
#define LH_COLLECT_SINK_TEXT_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/frame_package.h"
#include "common/event.h"
#include "common/text.h"

enum lh_showing { LH_SHOW, LH_FOLD, LH_HIDE };

/* How each frame of a stack is shown. The way from the place to look at (lh_place_of()) into the
 * call is told in few rows, the innermost and the call that was made there; from there outwards
 * only what the user wrote is. */
void lh_showing_of(const struct lh_frame *frames, uint32_t count, enum lh_showing *showing);

#define LH_FOLD_PACKAGES 16 /* told apart in one run of folded frames */

/* A run of folded frames; zeroed: none. */
struct lh_fold {
    uint32_t frames;
    uint32_t unnamed; /* of them, in no known file */
    uint32_t packages;
    struct {
        char name[LH_PACKAGE_BYTES];
        uint32_t frames;
    } package[LH_FOLD_PACKAGES];
};

void lh_fold_add(struct lh_fold *fold, const struct lh_frame *frame);

/* "... 8 frames of asyncio, uvicorn". */
void lh_fold_text(struct lh_fold *fold, struct lh_text *text);

#endif
