/* SPDX-License-Identifier: Apache-2.0 */
/* Source maps as anybody may write them: four bytes that ask for a place, then the JSON. */
#include "collect/stack/source_map.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lh_source_place place;
    if (size < 4)
        return 0;
    struct lh_source_map *map = lh_source_map_parse((const char *)data + 4, size - 4);
    if (map == NULL)
        return 0;
    const uint32_t lines[] = {1, data[0], data[1] * 256u + data[0], UINT32_MAX};
    const uint32_t columns[] = {1, data[2], data[3] * 256u + data[2], UINT32_MAX};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            if (lh_source_map_find(map, lines[i], columns[j], &place))
                MUST(place.line > 0 && place.column > 0 && place.source != NULL &&
                     place.root != NULL);
    lh_source_map_free(map);
    return 0;
}
