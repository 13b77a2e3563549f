/* SPDX-License-Identifier: Apache-2.0 */
/* Source maps: where a place of a made file comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collect/stack/source_map.h"
#include "common/text.h"

#define SOURCES       "\"sources\":[\"a.ts\",\"b.ts\"]"
#define MAP(mappings) "{\"version\":3," SOURCES ",\"mappings\":\"" mappings "\"}"

/* Line 1: column 0 from a.ts 1:1, column 4 from b.ts 3:1. Line 2: nothing. Line 3: column 2 from
 * b.ts 4:5 and column 6 from nowhere. */
#define SMALL MAP("AAAA,ICEA;;EACI,I")

static const struct lh_source_map *map_of(void **state, const char *json)
{
    lh_source_map_free(*state);
    *state = lh_source_map_parse(json, strlen(json));
    return *state;
}

static int tear_down(void **state)
{
    lh_source_map_free(*state);
    return 0;
}

/* "a.ts:1:1", or "none". */
static void expect_place(const struct lh_source_map *map, uint32_t line, uint32_t column,
                         const char *expected)
{
    struct lh_source_place place;
    char text[64] = "none";
    if (lh_source_map_find(map, line, column, &place))
        snprintf(text, sizeof(text), "%s%s:%u:%u", place.root, place.source, place.line,
                 place.column);
    assert_string_equal(text, expected);
}

static void test_place_is_told_by_the_last_mapping_before_it(void **state)
{
    const struct lh_source_map *map = map_of(state, SMALL);
    assert_non_null(map);
    expect_place(map, 1, 1, "a.ts:1:1");
    expect_place(map, 1, 4, "a.ts:1:1");
    expect_place(map, 1, 5, "b.ts:3:1");
    expect_place(map, 1, 500, "b.ts:3:1");
    expect_place(map, 3, 3, "b.ts:4:5");
}

static void test_place_without_a_mapping_comes_from_nowhere(void **state)
{
    const struct lh_source_map *map = map_of(state, SMALL);
    expect_place(map, 2, 1, "none");
    expect_place(map, 3, 1, "none");
    expect_place(map, 3, 8, "none");
    expect_place(map, 4, 1, "none");
    expect_place(map, 0, 0, "none");
}

#define MANY 5000 /* more segments than lie between two marks */

/* A map of so many segments, each one line further in the source. */
static const struct lh_source_map *map_of_many(void **state, const char *segment)
{
    static char json[MANY * 8];
    struct lh_text text;
    lh_text_init(&text, json, sizeof(json));
    lh_text_string(&text, "{\"version\":3," SOURCES ",\"mappings\":\"AAAA");
    for (int i = 1; i < MANY; i++)
        lh_text_string(&text, segment);
    lh_text_string(&text, "\"}");
    return map_of(state, json);
}

static void test_long_map_tells_each_of_its_lines(void **state)
{
    char expected[32];
    const struct lh_source_map *map = map_of_many(state, ";AACA");
    assert_non_null(map);
    for (uint32_t line = 1; line <= MANY; line++) {
        snprintf(expected, sizeof(expected), "a.ts:%u:1", line);
        expect_place(map, line, 1, expected);
    }
}

/* In one line, as bundlers make them. */
static void test_long_line_tells_each_of_its_columns(void **state)
{
    char expected[32];
    const struct lh_source_map *map = map_of_many(state, ",CACA");
    assert_non_null(map);
    for (uint32_t column = 1; column <= MANY; column++) {
        snprintf(expected, sizeof(expected), "a.ts:%u:1", column);
        expect_place(map, 1, column, expected);
    }
}

static void test_section_is_looked_up_from_where_it_begins(void **state)
{
    const struct lh_source_map *map = map_of(
        state,
        "{\"version\":3,\"sections\":["
        "{\"offset\":{\"line\":0,\"column\":0},\"map\":" MAP(
            "AAAA") "},"
                    "{\"offset\":{\"line\":2,\"column\":10},\"map\":" MAP("AAAA;ACAA") "}]}");
    assert_non_null(map);
    expect_place(map, 1, 1, "a.ts:1:1");
    expect_place(map, 3, 10, "none");
    expect_place(map, 3, 11, "a.ts:1:1");
    expect_place(map, 4, 1, "b.ts:1:1");
}

static void test_root_of_the_sources_and_a_guarded_first_line_are_taken(void **state)
{
    const struct lh_source_map *map = map_of(
        state, ")]}'\n{\"version\":3,\"sourceRoot\":\"src/\"," SOURCES ",\"mappings\":\"AAAA\"}");
    assert_non_null(map);
    expect_place(map, 1, 1, "src/a.ts:1:1");
}

static void test_broken_map_is_none(void **state)
{
    static const char *const broken[] = {
        "",
        "{",
        "[]",
        "{\"version\":2," SOURCES ",\"mappings\":\"AAAA\"}",
        "{\"version\":3,\"mappings\":\"AAAA\"}",
        "{\"version\":3," SOURCES "}",
        MAP("A!AA"),
        MAP("AA"),
        MAP("AAA"),
        MAP("AAAAAA"),
        MAP("DAAA"),      /* column -1 */
        MAP("IAAA,DAAA"), /* columns that fall */
        MAP("gggggggB"),  /* a number of too many digits */
        MAP("g"),         /* a number without an end */
        "{\"version\":3,\"sections\":[]}",
        "{\"version\":3,\"sections\":[{\"map\":" MAP("AAAA") "}]}",
        "{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"map\":{}}]}",
        "{\"version\":3,\"sections\":["
        "{\"offset\":{\"line\":1,\"column\":0},\"map\":" MAP(
            "AAAA") "},"
                    "{\"offset\":{\"line\":0,\"column\":0},\"map\":" MAP("AAAA") "}]}",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        if (map_of(state, broken[i]) != NULL)
            fail_msg("taken: %s", broken[i]);
}

static void test_source_that_the_map_does_not_have_is_nowhere(void **state)
{
    expect_place(map_of(state, MAP("AEAA")), 1, 1, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_place_is_told_by_the_last_mapping_before_it, tear_down),
        cmocka_unit_test_teardown(test_place_without_a_mapping_comes_from_nowhere, tear_down),
        cmocka_unit_test_teardown(test_long_map_tells_each_of_its_lines, tear_down),
        cmocka_unit_test_teardown(test_long_line_tells_each_of_its_columns, tear_down),
        cmocka_unit_test_teardown(test_section_is_looked_up_from_where_it_begins, tear_down),
        cmocka_unit_test_teardown(test_root_of_the_sources_and_a_guarded_first_line_are_taken,
                                  tear_down),
        cmocka_unit_test_teardown(test_broken_map_is_none, tear_down),
        cmocka_unit_test_teardown(test_source_that_the_map_does_not_have_is_nowhere, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
