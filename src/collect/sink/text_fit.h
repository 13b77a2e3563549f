/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that fit a terminal. Collector only; one thread a sink. */
#ifndef LH_COLLECT_SINK_TEXT_FIT_H
#define LH_COLLECT_SINK_TEXT_FIT_H

#include <stddef.h>

#include "common/text.h"

/* Columns that a UTF-8 string takes; colours (ESC [ ... m) take none. */
size_t lh_text_width(const char *string);

/* Cuts the text that begins at `from`, which is one line without its newline, to `width` columns;
 * what is cut ends in "...". 0: any width will do. */
void lh_text_cut(struct lh_text *text, size_t from, size_t width);

/* The same, but between two of its parts where there are any: these need no dots. */
void lh_text_cut_parts(struct lh_text *text, size_t from, size_t width);

/* Adds these lines to a text, each cut like that. `reset` ends the colours of one that was. */
void lh_text_cut_lines(struct lh_text *text, const char *lines, size_t width, const char *reset);

/* Breaks that one line between words, also inside of a word that is longer than a line; lines after
 * the first are indented by four. */
void lh_text_wrap(struct lh_text *text, size_t from, size_t width);

#endif
