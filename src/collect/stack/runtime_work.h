/* SPDX-License-Identifier: Apache-2.0 */
/* What a program's runtime does for itself in stacks. Any thread of the collector (ours, that is).
 */
#ifndef LH_COLLECT_STACK_RUNTIME_WORK_H
#define LH_COLLECT_STACK_RUNTIME_WORK_H

#include <stdint.h>

#include "common/event.h"

/* What the runtime was doing there, by src/runtime_work.def. */
enum lh_work lh_frames_work(const struct lh_frame *frames, uint32_t count);

#endif
