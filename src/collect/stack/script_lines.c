/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines of a script begin. See script_lines.h. */
#include "collect/stack/script_lines.h"

#include <stddef.h>
#include <stdlib.h>

#define LINES_MAX           (4u << 20)
#define LINE_SEPARATOR      0x2028
#define PARAGRAPH_SEPARATOR 0x2029

/* Does a line end with that unit, and not with the next one? */
static bool is_end(const uint16_t *units, uint32_t count, uint32_t at)
{
    uint16_t unit = units[at];
    return unit == '\n' || unit == LINE_SEPARATOR || unit == PARAGRAPH_SEPARATOR ||
           (unit == '\r' && (at + 1 == count || units[at + 1] != '\n'));
}

void lh_script_lines_find(const uint16_t *units, uint32_t count, struct lh_script_lines *lines)
{
    uint32_t ends = 0;
    *lines = (struct lh_script_lines){NULL, 0};
    for (uint32_t i = 0; i < count; i++)
        ends += is_end(units, count, i);
    if (ends > LINES_MAX || (lines->begins = calloc(ends + 1, sizeof(*lines->begins))) == NULL)
        return;
    for (uint32_t i = 0; i < count; i++)
        if (is_end(units, count, i))
            lines->begins[lines->count++] = i + 1;
}

void lh_script_lines_free(struct lh_script_lines *lines)
{
    free(lines->begins);
    *lines = (struct lh_script_lines){NULL, 0};
}

bool lh_script_lines_place(const struct lh_script_lines *lines, uint32_t position, uint32_t *line,
                           uint32_t *column)
{
    uint32_t low = 0;
    uint32_t high = lines->count;
    if (lines->begins == NULL)
        return false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lines->begins[middle] <= position)
            low = middle + 1;
        else
            high = middle;
    }
    *line = low + 1;
    *column = position - (low > 0 ? lines->begins[low - 1] : 0) + 1;
    return true;
}
