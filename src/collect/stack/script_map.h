/* SPDX-License-Identifier: Apache-2.0 */
/* The source map that a script names at its end, or holds there. Used by the thread of one ring,
 * with the rights of the program. */
#ifndef LH_COLLECT_STACK_SCRIPT_MAP_H
#define LH_COLLECT_STACK_SCRIPT_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/stack/script_text.h"
#include "collect/stack/source_map.h"

struct lh_script_map {
    struct lh_source_map *map; /* NULL: there is none that could be followed */
    char *directory;           /* that its names are seen from, with its slash */
    size_t bytes;              /* that it was read from */
    bool is_broken;            /* there is one, which is no map */
};

/* `name` is the script's, "": it has none. Nothing is fetched from anywhere but memory and files.
 */
void lh_script_map_load(struct lh_script_map *map, const char *name,
                        const struct lh_script_text *text);
void lh_script_map_free(struct lh_script_map *map);

#endif
