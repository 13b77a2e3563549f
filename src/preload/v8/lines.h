/* SPDX-License-Identifier: Apache-2.0 */
/* From a place in a script's source to its line. See heap.h for who may call what. */
#ifndef LH_PRELOAD_V8_LINES_H
#define LH_PRELOAD_V8_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"
#include "preload/v8/walker.h"

/* Line and column, both from 1 on, of the character at `position` of the script. From V8's own
 * table of line ends, which it makes when somebody asks for a line; else the source is looked
 * through, of which a walk reads LH_V8_SOURCE_MAX bytes. False: it is not known. */
bool lh_v8_line(struct lh_v8_walk *walk, uintptr_t script, uint32_t position, uint32_t *line,
                uint32_t *column);

/* What the collector needs to find the text of frame->position's script, and to know it again: for
 * lines of long scripts, and source maps that are in memory alone. Nothing of a script that begins
 * in the middle of its file. */
void lh_v8_note_source(struct lh_v8_walk *walk, uintptr_t script, struct lh_js_frame *frame);

#endif
