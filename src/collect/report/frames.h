/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that outlive the stack they were built from. Collector only, any thread. */
#ifndef LH_COLLECT_REPORT_FRAMES_H
#define LH_COLLECT_REPORT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

/* One block of memory, to be freed with free(3): the frames, and behind them their strings. NULL:
 * out of memory. */
struct lh_frame *lh_frames_copy(const struct lh_frame *frames, uint32_t count);

/* The size of such a block. */
size_t lh_frames_bytes(const struct lh_frame *frames, uint32_t count);

#endif
