/* SPDX-License-Identifier: Apache-2.0 */
/* The source map of a script. See script_map.h. Where it is, and what it says, comes from the
 * program, and may be anything. */
#include "collect/stack/script_map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collect/stack/source_path.h"
#include "collect/stack/whole_file.h"
#include "common/text.h"

static const char mark[] = "//# sourceMappingURL=";
#define MARK_LENGTH (sizeof(mark) - 1)

void lh_script_map_free(struct lh_script_map *map)
{
    lh_source_map_free(map->map);
    free(map->directory);
    *map = (struct lh_script_map){.map = NULL};
}

/* RFC 4648; its padding ends it. Returns the number of bytes in `to`, where there is room for three
 * for each four characters. */
static size_t decode_base64(const char *text, char *to)
{
    size_t length = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (int digit; (digit = lh_base64_digit(*text)) >= 0; text++) {
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[length++] = (char)(bits >> count & 0xff);
        }
    }
    return length;
}

static void parse(struct lh_script_map *map, const char *json, size_t length)
{
    map->map = lh_source_map_parse(json, length);
    map->is_broken = map->map == NULL;
    map->bytes = map->map != NULL ? length : 0;
}

static void take_inline(struct lh_script_map *map, const char *name, const char *url)
{
    static const char base64[] = ";base64,";
    const char *data = strstr(url, base64);
    if (data == NULL)
        return;
    data += sizeof(base64) - 1;
    char *json = malloc(strlen(data) / 4 * 3 + 3);
    if (json == NULL)
        return;
    parse(map, json, decode_base64(data, json));
    free(json);
    map->directory = lh_source_directory(name);
}

static void take_file(struct lh_script_map *map, const char *name, const char *url)
{
    char *beside = lh_source_directory(name);
    bool is_file = beside != NULL && !lh_source_has_scheme(url);
    char *path = is_file ? lh_source_path(beside, "", url) : NULL;
    size_t length;
    char *json = path != NULL ? lh_whole_file(path, &length) : NULL;
    if (json != NULL) {
        parse(map, json, length);
        map->directory = lh_source_directory(path);
    }
    free(json);
    free(path);
    free(beside);
}

static bool is_mark(const uint16_t *units)
{
    for (size_t i = 0; i < MARK_LENGTH; i++)
        if (units[i] != (unsigned char)mark[i])
            return false;
    return true;
}

/* A URL has none of these as they are. */
static bool ends_url(uint16_t unit)
{
    return unit <= ' ' || unit > '~';
}

/* What follows the last mark, in its line, for the caller to free. NULL: there is none. */
static char *find_url(const struct lh_script_text *text)
{
    uint32_t from = text->count;
    while (from >= MARK_LENGTH && !is_mark(text->units + from - MARK_LENGTH))
        from--;
    if (from < MARK_LENGTH)
        return NULL;
    uint32_t length = 0;
    while (from + length < text->count && !ends_url(text->units[from + length]))
        length++;
    char *url = malloc(length + 1);
    if (url == NULL)
        return NULL;
    for (uint32_t i = 0; i < length; i++)
        url[i] = (char)text->units[from + i];
    url[length] = '\0';
    return url;
}

void lh_script_map_load(struct lh_script_map *map, const char *name,
                        const struct lh_script_text *text)
{
    char *url = find_url(text);
    *map = (struct lh_script_map){.map = NULL};
    if (url != NULL && lh_starts_with(url, "data:"))
        take_inline(map, name, url);
    else if (url != NULL)
        take_file(map, name, url);
    free(url);
}
