/* SPDX-License-Identifier: Apache-2.0 */
/* Line tables of CPython: what a compiler may write, and what nobody should. Where nothing else is
 * said they are the location tables of 3.11 and later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "preload/python/lines.h"

/* From Objects/locations.md. */
enum { SHORT = 0, ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

#define FIRST_LINE 100
#define MANY       70000

static uint8_t table[MANY * 8];
static size_t length;
static size_t largest_read;
static size_t bytes_read;

static int read_table(void *to, uintptr_t address, size_t size)
{
    size_t place = address - (uintptr_t)table;
    assert_true(place <= length && size <= length - place);
    memcpy(to, table + place, size);
    bytes_read += size;
    if (size > largest_read)
        largest_read = size;
    return 0;
}

static int read_nothing(void *to, uintptr_t address, size_t size)
{
    (void)to, (void)address, (void)size;
    return -EFAULT;
}

static const struct lh_view whole = {.read = read_table};
static const struct lh_view nothing = {.read = read_nothing};

static uint32_t line_in(enum lh_python_line_format format, int64_t offset)
{
    return lh_python_line(format, &whole, (uintptr_t)table, length, FIRST_LINE, offset);
}

static uint32_t line_at(int64_t offset)
{
    return line_in(LH_PYTHON_LOCATIONS, offset);
}

static int clear_table(void **state)
{
    (void)state;
    length = largest_read = bytes_read = 0;
    return 0;
}

static void put(unsigned byte)
{
    table[length++] = (uint8_t)byte;
}

static void put_varint(uint32_t value)
{
    for (; value >= 64; value >>= 6)
        put(0x40 | (value & 0x3f));
    put(value);
}

static void put_signed_varint(int32_t value)
{
    put_varint(value < 0 ? (uint32_t)-value << 1 | 1 : (uint32_t)value << 1);
}

/* Starts an entry of `units` instructions, two bytes each. */
static void put_start(unsigned code, unsigned units)
{
    put(0x80 | code << 3 | (units - 1));
}

static void put_no_columns(int32_t delta, unsigned units)
{
    put_start(NO_COLUMNS, units);
    put_signed_varint(delta);
}

static void put_long(int32_t delta, unsigned units)
{
    put_start(LONG, units);
    put_signed_varint(delta);
    put_varint(70);
    put_varint(5000);
    put_varint(0);
}

static void test_short_forms_stay_on_the_line(void **state)
{
    (void)state;
    for (unsigned code = SHORT; code < ONE_LINE; code++) {
        put_start(code, 1);
        put(0x7f);
    }
    for (int i = 0; i < ONE_LINE; i++)
        assert_int_equal(line_at(2 * i), FIRST_LINE);
    assert_int_equal(line_at(2 * ONE_LINE), 0);
}

static void test_one_line_forms_go_on_by_up_to_two_lines(void **state)
{
    (void)state;
    for (unsigned delta = 0; delta < 3; delta++) {
        put_start(ONE_LINE + delta, 2);
        put(0xff); /* columns, any byte */
        put(0x80);
    }
    assert_int_equal(line_at(0), FIRST_LINE);
    assert_int_equal(line_at(4), FIRST_LINE + 1);
    assert_int_equal(line_at(6), FIRST_LINE + 1);
    assert_int_equal(line_at(8), FIRST_LINE + 3);
}

static void test_lines_go_back_and_far(void **state)
{
    (void)state;
    put_long(-40, 1);
    put_no_columns(-59, 1);
    put_no_columns(70000, 1);
    put_long(1000000000, 1);
    put_long(-1000000000, 1);
    assert_int_equal(line_at(0), 60);
    assert_int_equal(line_at(2), 1);
    assert_int_equal(line_at(4), 70001);
    assert_int_equal(line_at(6), 1000070001);
    assert_int_equal(line_at(8), 70001);
}

static void test_each_instruction_of_an_entry_has_its_line(void **state)
{
    (void)state;
    for (unsigned units = 1; units <= 8; units++)
        put_no_columns(1, units);
    int64_t offset = 0;
    for (unsigned units = 1; units <= 8; units++)
        for (unsigned i = 0; i < 2 * units; i++)
            assert_int_equal(line_at(offset++), FIRST_LINE + units);
}

static void test_an_instruction_without_a_line_has_none_and_changes_none(void **state)
{
    (void)state;
    put_no_columns(7, 1);
    put_start(NONE, 1);
    put_no_columns(0, 1);
    assert_int_equal(line_at(0), FIRST_LINE + 7);
    assert_int_equal(line_at(2), 0);
    assert_int_equal(line_at(4), FIRST_LINE + 7);
}

static void test_a_frame_not_started_yet_is_on_the_first_line(void **state)
{
    (void)state;
    put_no_columns(7, 1);
    assert_int_equal(line_at(-1), FIRST_LINE);
    assert_int_equal(line_at(-2), FIRST_LINE);
    assert_int_equal(bytes_read, 0);
}

static void test_no_table_says_more_than_it_has(void **state)
{
    (void)state;
    assert_int_equal(line_at(0), 0);
    put_no_columns(7, 1);
    assert_int_equal(line_at(2), 0);
    assert_int_equal(line_at(INT64_MAX), 0);
    length--; /* cut inside the entry */
    assert_int_equal(line_at(0), 0);
    assert_int_equal(
        lh_python_line(LH_PYTHON_LOCATIONS, &nothing, (uintptr_t)table, 100, FIRST_LINE, 0), 0);
}

static void test_what_is_no_table_gives_no_line(void **state)
{
    (void)state;
    put(NO_COLUMNS << 3); /* an entry starts with bit 7 */
    put(0);
    assert_int_equal(line_at(0), 0);

    length = 0;
    put_start(NO_COLUMNS, 1);
    for (int i = 0; i < 7; i++) /* longer than any int */
        put(0x7f);
    put(0);
    assert_int_equal(line_at(0), 0);
}

static void test_no_line_is_below_one(void **state)
{
    (void)state;
    put_no_columns(-FIRST_LINE, 1);
    put_no_columns(-1, 1);
    put_no_columns(2, 1);
    assert_int_equal(line_at(0), 0);
    assert_int_equal(line_at(2), 0);
    assert_int_equal(line_at(4), 1);
}

static void test_a_huge_table_is_streamed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        put_long(i % 2 ? 3 : -1, 1 + i % 8);
    int64_t offset = 0;
    int32_t line = FIRST_LINE;
    for (unsigned i = 0; i < MANY; i++) {
        line += i % 2 ? 3 : -1;
        if (i % 6999 == 0)
            assert_int_equal(line_at(offset), line);
        offset += 2 * (1 + i % 8);
    }
    assert_int_equal(line_at(offset - 1), line);
    assert_int_equal(line_at(offset), 0);
    assert_true(line > UINT16_MAX);
    assert_in_range(largest_read, 1, 1024);
}

/* try: over a call across lines, finally: twice, as CPython 3.11.2 compiled it; and its co_lines().
 */
static const uint8_t real[] = {0x80, 0x00, 0xf0, 0x02, 0x06, 0x05, 0x11, 0xd8, 0x0c, 0x0d, 0x90,
                               0x01, 0x89, 0x45, 0x88, 0x01, 0xdd, 0x0f, 0x10, 0xd8, 0x0c, 0x0d,
                               0xd8, 0x0c, 0x0d, 0xf1, 0x05, 0x02, 0x10, 0x0f, 0xf4, 0x00, 0x02,
                               0x10, 0x0f, 0xf5, 0x08, 0x00, 0x09, 0x0e, 0x88, 0x61, 0x89, 0x08,
                               0x8c, 0x08, 0x88, 0x08, 0x88, 0x08, 0xf8, 0x8d, 0x05, 0x88, 0x61,
                               0x89, 0x08, 0x8c, 0x08, 0x88, 0x08, 0x88, 0x08, 0xf8, 0xf8, 0xf8};
static const uint8_t real_lines[] = {1, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5, 6, 4, 4, 4, 4, 4,
                                     4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 8,
                                     8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0};

static void test_a_table_of_cpythons_own_gives_cpythons_own_lines(void **state)
{
    (void)state;
    memcpy(table, real, sizeof(real));
    length = sizeof(real);
    for (size_t i = 0; i < sizeof(real_lines); i++)
        assert_int_equal(lh_python_line(LH_PYTHON_LOCATIONS, &whole, (uintptr_t)table, length, 1,
                                        (int64_t)(2 * i)),
                         real_lines[i]);
    assert_int_equal(line_at(2 * sizeof(real_lines)), 0);
}

/* Pairs of Objects/lnotab_notes.txt, in 3.10 and before. */
static void put_pair(unsigned bytes, int lines)
{
    put(bytes);
    put((unsigned)lines & 0xff);
}

static void test_ranges_have_their_lines(void **state)
{
    (void)state;
    put_pair(6, 1);
    put_pair(0, 127); /* a large step is made of several */
    put_pair(50, 73);
    put_pair(4, -1);
    static const uint16_t expected[][2] = {{0, 101}, {5, 101}, {6, 301}, {55, 301}, {56, 300}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(line_in(LH_PYTHON_RANGES, expected[i][0]), expected[i][1]);
    assert_int_equal(line_in(LH_PYTHON_RANGES, 60), 0); /* beyond the last */
    assert_int_equal(line_in(LH_PYTHON_RANGES, -2), FIRST_LINE);
}

static void test_a_range_without_a_line_has_none_and_changes_none(void **state)
{
    (void)state;
    put_pair(2, 4);
    put_pair(2, -128);
    put_pair(2, 1);
    assert_int_equal(line_in(LH_PYTHON_RANGES, 0), 104);
    assert_int_equal(line_in(LH_PYTHON_RANGES, 2), 0);
    assert_int_equal(line_in(LH_PYTHON_RANGES, 4), 105);
}

static void test_lnotab_says_where_lines_start(void **state)
{
    (void)state;
    assert_int_equal(line_in(LH_PYTHON_LNOTAB, 4), FIRST_LINE); /* nothing but the first line */
    put_pair(6, 1);
    put_pair(44, 127);
    put_pair(0, 73);
    put_pair(8, -2);
    static const uint16_t expected[][2] = {{0, 100},  {5, 100},  {6, 101},
                                           {49, 101}, {50, 301}, {58, 299}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(line_in(LH_PYTHON_LNOTAB, expected[i][0]), expected[i][1]);
    assert_int_equal(line_in(LH_PYTHON_LNOTAB, 1 << 20), 299); /* the last line goes on */
    assert_int_equal(line_in(LH_PYTHON_LNOTAB, -1), FIRST_LINE);
}

static void test_pairs_that_are_cut_or_cannot_be_read_give_no_line(void **state)
{
    (void)state;
    for (int format = LH_PYTHON_RANGES; format <= LH_PYTHON_LNOTAB; format++) {
        length = 0;
        put_pair(2, 1);
        put(2);
        assert_int_equal(line_in(format, 2), 0);
        assert_int_equal(lh_python_line(format, &nothing, (uintptr_t)table, 2, FIRST_LINE, 0), 0);
    }
}

static void test_huge_tables_of_pairs_are_streamed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        put_pair(2, 1);
    assert_int_equal(line_in(LH_PYTHON_RANGES, 2 * (MANY - 1)), FIRST_LINE + MANY);
    assert_int_equal(line_in(LH_PYTHON_LNOTAB, 2 * MANY), FIRST_LINE + MANY);
    assert_in_range(largest_read, 1, 1024);
}

#define TEST(name) cmocka_unit_test_setup(name, clear_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_short_forms_stay_on_the_line),
        TEST(test_one_line_forms_go_on_by_up_to_two_lines),
        TEST(test_lines_go_back_and_far),
        TEST(test_each_instruction_of_an_entry_has_its_line),
        TEST(test_an_instruction_without_a_line_has_none_and_changes_none),
        TEST(test_a_frame_not_started_yet_is_on_the_first_line),
        TEST(test_no_table_says_more_than_it_has),
        TEST(test_what_is_no_table_gives_no_line),
        TEST(test_no_line_is_below_one),
        TEST(test_a_huge_table_is_streamed),
        TEST(test_a_table_of_cpythons_own_gives_cpythons_own_lines),
        TEST(test_ranges_have_their_lines),
        TEST(test_a_range_without_a_line_has_none_and_changes_none),
        TEST(test_lnotab_says_where_lines_start),
        TEST(test_pairs_that_are_cut_or_cannot_be_read_give_no_line),
        TEST(test_huge_tables_of_pairs_are_streamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
