/* SPDX-License-Identifier: Apache-2.0 */
/* The source maps of a program's scripts: what they name at their end, or hold there. Used by the
 * thread of one ring, with the rights of the program. */
#ifndef LH_COLLECT_STACK_SOURCE_MAPS_H
#define LH_COLLECT_STACK_SOURCE_MAPS_H

#include <stdbool.h>

#include "common/event.h"

struct lh_source_maps;

struct lh_source_maps *lh_source_maps_new(void); /* NULL: out of memory */
void lh_source_maps_free(struct lh_source_maps *maps);

/* A frame of JavaScript whose script has a map gets the file, line and column that a person wrote,
 * and keeps the script's own as `generated_file` and `generated_line`. Its strings live until
 * lh_source_maps_let_go(). */
void lh_source_maps_apply(struct lh_source_maps *maps, struct lh_frame *frame);

/* Nobody looks at what such frames point to any more: maps that are too many are given up. */
void lh_source_maps_let_go(struct lh_source_maps *maps);

/* The same for all of them; they are read again when they are asked for. */
void lh_source_maps_give_up(struct lh_source_maps *maps);

/* A script whose map is there and cannot be followed, once for each; valid as above. NULL: none. */
const char *lh_source_maps_broken(struct lh_source_maps *maps);

#endif
