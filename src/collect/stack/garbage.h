/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage collectors in stacks. Any thread of the collector (ours, that is). */
#ifndef LH_COLLECT_STACK_GARBAGE_H
#define LH_COLLECT_STACK_GARBAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"

/* Was the program's runtime collecting garbage there, by src/collectors.def? */
bool lh_frames_collect(const struct lh_frame *frames, uint32_t count);

#endif
