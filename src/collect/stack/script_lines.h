/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines of a script begin. Any thread of the collector; touches nothing but its
 * arguments. */
#ifndef LH_COLLECT_STACK_SCRIPT_LINES_H
#define LH_COLLECT_STACK_SCRIPT_LINES_H

#include <stdbool.h>
#include <stdint.h>

struct lh_script_lines {
    uint32_t *begins; /* of each but the first, in units */
    uint32_t count;
};

/* Of so many UTF-16 units. They end as V8 sees it (String::CalculateLineEnds): \n, \r, both, U+2028
 * or U+2029. Without memory, or of very many lines, none are known. */
void lh_script_lines_find(const uint16_t *units, uint32_t count, struct lh_script_lines *lines);
void lh_script_lines_free(struct lh_script_lines *lines);

/* Line and column, from 1 on, of the unit at `position`. False: no lines are known. */
bool lh_script_lines_place(const struct lh_script_lines *lines, uint32_t position, uint32_t *line,
                           uint32_t *column);

#endif
