/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the program's source files, with a small cache. Collector only; one thread each. */
#ifndef LH_COLLECT_SINK_SOURCE_H
#define LH_COLLECT_SINK_SOURCE_H

#include <stdint.h>

#include "common/text.h"

#define LH_SOURCE_BYTES 128 /* room for the longest line that is given */

struct lh_source;
struct lh_source *lh_source_new(const char *cwd); /* NULL: out of memory; `cwd` outlives it */
void lh_source_free(struct lh_source *source);

/* Forgets the files; they are read again when they are asked for. */
void lh_source_give_up(struct lh_source *source);

/* Adds line `line` (from 1) of `file` without the space around it, or nothing. Of a long line the
 * part that is near `column` (from 1, in UTF-16 units; 0: not known). */
void lh_source_line(struct lh_source *source, const char *file, uint32_t line, uint32_t column,
                    struct lh_text *text);

#endif
