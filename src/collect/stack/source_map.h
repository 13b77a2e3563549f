/* SPDX-License-Identifier: Apache-2.0 */
/* A source map: from a place in a file that a tool has made (TypeScript's compiler, a bundler) to
 * the one that a person wrote. ECMA-426, of which revision 3 of the older format is a part; with
 * sections. Used by the thread of one ring. */
#ifndef LH_COLLECT_STACK_SOURCE_MAP_H
#define LH_COLLECT_STACK_SOURCE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a character of base 64 (RFC 4648, its usual alphabet); -1: it is none. Any thread.
 */
int lh_base64_digit(char c);

struct lh_source_map;

struct lh_source_place {
    const char *root;   /* to be put in front of `source`; "": nothing */
    const char *source; /* as the map names it; both live as long as the map does */
    uint32_t line;      /* from 1 */
    uint32_t column;    /* from 1, in UTF-16 units */
};

/* Reads `length` bytes of JSON, which may be anything. NULL: it is no map that could be followed,
 * or there is no memory. */
struct lh_source_map *lh_source_map_parse(const char *json, size_t length);
void lh_source_map_free(struct lh_source_map *map); /* NULL: nothing */

/* Where that place of the made file comes from, by the last mapping of its line that does not come
 * after it. `line` and `column` as above. False: from nowhere that the map tells. */
bool lh_source_map_find(const struct lh_source_map *map, uint32_t line, uint32_t column,
                        struct lh_source_place *place);

#endif
