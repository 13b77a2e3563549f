/* SPDX-License-Identifier: Apache-2.0 */
/* Source maps: see source_map.h. Runs on the threads of the rings.
 *
 * A map is a long string of differences between one place and the next, which can only be read from
 * its begin. It is read to its end once, to know that it is sound; then from marks on the way. */
#include "collect/stack/source_map.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MARK_EVERY   1024u              /* segments */
#define SECTIONS_MAX 4096u              /* of a map of maps */
#define VALUE_MAX    (1LL << 31)        /* of a line, a column, a source: what is more is rubbish */
#define DIGIT_BITS   5u                 /* in each character of a number … */
#define MORE_DIGITS  (1u << DIGIT_BITS) /* … and whether another one follows */

/* A place in the string, and what the differences have added up to there. */
struct cursor {
    const char *at;
    int64_t line; /* all from 0 */
    int64_t column;
    int64_t source;
    int64_t source_line;
    int64_t source_column;
    bool has_source; /* the segment that ends here names one */
};

struct section {
    int64_t line; /* of the made file, where its map begins */
    int64_t column;
    const char *root;
    const json_t *sources;
    struct cursor *marks; /* each behind a segment; the first one before all */
    size_t mark_count;
};

struct lh_source_map {
    json_t *json;
    struct section *sections;
    size_t section_count;
};

/* ---- the string ---- */

int lh_base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* The lowest bit is the sign. */
static bool read_number(const char **at, int64_t *number)
{
    uint64_t bits = 0;
    for (unsigned shift = 0; shift <= 30; shift += DIGIT_BITS) {
        int digit = lh_base64_digit(**at);
        if (digit < 0)
            return false;
        ++*at;
        bits |= (uint64_t)((unsigned)digit & (MORE_DIGITS - 1)) << shift;
        if (((unsigned)digit & MORE_DIGITS) == 0) {
            *number = (bits & 1) != 0 ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
            return true;
        }
    }
    return false;
}

static bool add_number(const char **at, int64_t *sum)
{
    int64_t number;
    if (!read_number(at, &number))
        return false;
    *sum += number;
    return *sum >= 0 && *sum < VALUE_MAX;
}

static bool ends_segment(char c)
{
    return c == '\0' || c == ',' || c == ';';
}

enum step { STEP_SEGMENT, STEP_END, STEP_BROKEN };

/* Goes behind the next segment: one, four or five numbers. */
static enum step next_segment(struct cursor *cursor)
{
    int64_t before = cursor->column;
    int64_t name = 0; /* of which nothing is wanted */
    while (*cursor->at == ',' || *cursor->at == ';') {
        if (*cursor->at++ == ';') {
            cursor->line++;
            cursor->column = before = 0;
        }
    }
    if (*cursor->at == '\0')
        return STEP_END;
    /* Places that do not rise could not be looked for. */
    if (!add_number(&cursor->at, &cursor->column) || cursor->column < before)
        return STEP_BROKEN;
    cursor->has_source = !ends_segment(*cursor->at);
    if (cursor->has_source && (!add_number(&cursor->at, &cursor->source) ||
                               !add_number(&cursor->at, &cursor->source_line) ||
                               !add_number(&cursor->at, &cursor->source_column)))
        return STEP_BROKEN;
    if (!ends_segment(*cursor->at) && !read_number(&cursor->at, &name))
        return STEP_BROKEN;
    return ends_segment(*cursor->at) ? STEP_SEGMENT : STEP_BROKEN;
}

/* ---- reading a map ---- */

static bool add_mark(struct section *section, const struct cursor *cursor, size_t *room)
{
    if (section->mark_count == *room) {
        size_t more = *room != 0 ? *room * 2 : 8;
        struct cursor *marks = reallocarray(section->marks, more, sizeof(*marks));
        if (marks == NULL)
            return false;
        section->marks = marks;
        *room = more;
    }
    section->marks[section->mark_count++] = *cursor;
    return true;
}

static bool mark_all(struct section *section, const char *mappings)
{
    struct cursor cursor = {.at = mappings};
    size_t room = 0;
    enum step step = STEP_SEGMENT;
    for (size_t count = 0; step == STEP_SEGMENT; count++) {
        if (count % MARK_EVERY == 0 && !add_mark(section, &cursor, &room))
            return false;
        step = next_segment(&cursor);
    }
    return step == STEP_END;
}

/* Without what is not looked at: the sources themselves are the larger part. */
static bool read_section(struct section *section, json_t *map)
{
    const char *mappings = json_string_value(json_object_get(map, "mappings"));
    const char *root = json_string_value(json_object_get(map, "sourceRoot"));
    section->sources = json_object_get(map, "sources");
    section->root = root != NULL ? root : "";
    json_object_del(map, "sourcesContent");
    json_object_del(map, "names");
    return mappings != NULL && json_is_array(section->sources) && mark_all(section, mappings);
}

static bool read_offset(struct section *section, const json_t *offset)
{
    section->line = json_integer_value(json_object_get(offset, "line"));
    section->column = json_integer_value(json_object_get(offset, "column"));
    return json_is_object(offset) && section->line >= 0 && section->line < VALUE_MAX &&
           section->column >= 0 && section->column < VALUE_MAX;
}

/* Is it behind the place (line, column)? */
static bool is_behind(int64_t line, int64_t column, int64_t of_line, int64_t of_column)
{
    return line > of_line || (line == of_line && column > of_column);
}

static bool read_sections(struct lh_source_map *map, const json_t *sections)
{
    size_t count = json_array_size(sections);
    if (count == 0 || count > SECTIONS_MAX)
        return false;
    map->sections = calloc(count, sizeof(*map->sections));
    if (map->sections == NULL)
        return false;
    for (; map->section_count < count; map->section_count++) {
        struct section *section = &map->sections[map->section_count];
        const json_t *item = json_array_get(sections, map->section_count);
        bool sound = read_offset(section, json_object_get(item, "offset"));
        if (sound && map->section_count > 0)
            sound =
                !is_behind(section[-1].line, section[-1].column, section->line, section->column);
        if (!sound || !read_section(section, json_object_get(item, "map"))) {
            free(section->marks);
            return false;
        }
    }
    return true;
}

static bool read_map(struct lh_source_map *map)
{
    const json_t *sections = json_object_get(map->json, "sections");
    if (json_integer_value(json_object_get(map->json, "version")) != 3)
        return false;
    if (sections != NULL)
        return read_sections(map, sections);
    map->sections = calloc(1, sizeof(*map->sections));
    map->section_count = map->sections != NULL;
    return map->sections != NULL && read_section(map->sections, map->json);
}

/* Behind a first line that keeps it from being run as a script. */
static const char *behind_guard(const char *json, size_t *length)
{
    static const char guard[] = ")]}'";
    const char *end = NULL;
    if (*length > sizeof(guard) && memcmp(json, guard, sizeof(guard) - 1) == 0)
        end = memchr(json, '\n', *length);
    if (end == NULL)
        return json;
    *length -= (size_t)(end + 1 - json);
    return end + 1;
}

struct lh_source_map *lh_source_map_parse(const char *json, size_t length)
{
    struct lh_source_map *map = calloc(1, sizeof(*map));
    if (map == NULL)
        return NULL;
    json = behind_guard(json, &length);
    map->json = json_loadb(json, length, 0, NULL);
    if (map->json != NULL && read_map(map))
        return map;
    lh_source_map_free(map);
    return NULL;
}

void lh_source_map_free(struct lh_source_map *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->section_count; i++)
        free(map->sections[i].marks);
    free(map->sections);
    json_decref(map->json);
    free(map);
}

/* ---- looking up ---- */

static const struct section *section_of(const struct lh_source_map *map, int64_t line,
                                        int64_t column)
{
    size_t low = 0;
    for (size_t high = map->section_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        const struct section *section = &map->sections[middle];
        if (is_behind(section->line, section->column, line, column))
            high = middle;
        else
            low = middle + 1;
    }
    return low > 0 ? &map->sections[low - 1] : NULL;
}

/* The last mark that is not behind the place. */
static struct cursor begin_near(const struct section *section, int64_t line, int64_t column)
{
    size_t low = 1;
    for (size_t high = section->mark_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (is_behind(section->marks[middle].line, section->marks[middle].column, line, column))
            high = middle;
        else
            low = middle + 1;
    }
    return section->marks[low - 1];
}

bool lh_source_map_find(const struct lh_source_map *map, uint32_t line, uint32_t column,
                        struct lh_source_place *place)
{
    if (line == 0 || column == 0)
        return false;
    const struct section *section = section_of(map, line - 1, column - 1);
    if (section == NULL)
        return false;
    int64_t wanted_line = (int64_t)line - 1 - section->line;
    int64_t wanted_column = (int64_t)column - 1 - (wanted_line == 0 ? section->column : 0);
    struct cursor cursor = begin_near(section, wanted_line, wanted_column);
    struct cursor found = cursor;
    while (next_segment(&cursor) == STEP_SEGMENT &&
           !is_behind(cursor.line, cursor.column, wanted_line, wanted_column))
        found = cursor;
    const char *source = json_string_value(json_array_get(section->sources, (size_t)found.source));
    if (found.line != wanted_line || !found.has_source || source == NULL)
        return false;
    *place = (struct lh_source_place){.root = section->root,
                                      .source = source,
                                      .line = (uint32_t)found.source_line + 1,
                                      .column = (uint32_t)found.source_column + 1};
    return true;
}
