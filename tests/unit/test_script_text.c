/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a script, from memory or its file, and where its lines begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/stack/script_lines.h"
#include "collect/stack/script_text.h"
#include "common/js_check.h"

#define NOBODY 0 /* no process has this number: its memory cannot be read */

/* "a€\n😀b" in UTF-8, with the mark that is no part of it. */
static const char in_file[] = "\xef\xbb\xbf"
                              "a\xe2\x82\xac\n\xf0\x9f\x98\x80"
                              "b";
static const uint16_t units[] = {'a', 0x20ac, '\n', 0xd83d, 0xde00, 'b'};
#define UNITS (sizeof(units) / sizeof(units[0]))

static char path[] = "/tmp/lh-script-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, in_file, sizeof(in_file) - 1);
    close(fd);
    return written == sizeof(in_file) - 1 ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* A frame at the second character. */
static struct lh_js_frame frame_at_second(void)
{
    return (struct lh_js_frame){
        .source = (uintptr_t)units,
        .source_length = UNITS,
        .source_check = lh_js_check(units + 1, UNITS - 1),
        .position = 1,
        .is_wide = 1,
    };
}

static void expect_text(pid_t pid, const struct lh_js_frame *js, const char *file)
{
    struct lh_script_text text;
    assert_true(lh_script_text_take(pid, js, file, &text));
    assert_int_equal(text.count, UNITS);
    assert_memory_equal(text.units, units, sizeof(units));
    lh_script_text_free(&text);
}

static void expect_none(pid_t pid, const struct lh_js_frame *js, const char *file)
{
    struct lh_script_text text;
    assert_false(lh_script_text_take(pid, js, file, &text));
    assert_null(text.units);
}

static void test_text_is_read_from_the_programs_memory(void **state)
{
    (void)state;
    struct lh_js_frame js = frame_at_second();
    expect_text(getpid(), &js, "");
    expect_none(NOBODY, &js, "");
    js.source = 8;
    expect_none(getpid(), &js, "");
}

static void test_letters_of_one_byte_are_widened(void **state)
{
    static const char latin[] = "caf\xe9";
    static const uint16_t wide[] = {'c', 'a', 'f', 0xe9};
    (void)state;
    const struct lh_js_frame js = {
        .source = (uintptr_t)latin,
        .source_length = 4,
        .source_check = lh_js_check(wide, 4),
    };
    struct lh_script_text text;
    assert_true(lh_script_text_take(getpid(), &js, "", &text));
    assert_memory_equal(text.units, wide, sizeof(wide));
    lh_script_text_free(&text);
}

static void test_file_serves_where_there_is_no_memory(void **state)
{
    (void)state;
    struct lh_js_frame js = frame_at_second();
    expect_text(NOBODY, &js, path);
    expect_none(NOBODY, &js, "/nowhere.js");
    js.source_length = 0; /* it does not say what ran */
    expect_text(NOBODY, &js, path);
}

static void test_another_text_is_not_taken(void **state)
{
    (void)state;
    struct lh_js_frame js = frame_at_second();
    js.source_check++;
    expect_none(getpid(), &js, path);
    js = frame_at_second();
    js.source_length--;
    expect_none(NOBODY, &js, path);
    js = frame_at_second();
    js.position = UNITS + 1;
    expect_none(getpid(), &js, path);
}

static void expect_place(const struct lh_script_lines *lines, uint32_t position,
                         uint32_t expected_line, uint32_t expected_column)
{
    uint32_t line = 0;
    uint32_t column = 0;
    assert_true(lh_script_lines_place(lines, position, &line, &column));
    assert_int_equal(line, expected_line);
    assert_int_equal(column, expected_column);
}

static void test_lines_end_as_v8_has_it(void **state)
{
    static const uint16_t text[] = {'a', '\r', '\n', 'b', '\r', 'c', 0x2028, 0x2029, 'd', '\r'};
    struct lh_script_lines lines;
    (void)state;
    lh_script_lines_find(text, sizeof(text) / sizeof(text[0]), &lines);
    expect_place(&lines, 0, 1, 1);
    expect_place(&lines, 2, 1, 3);
    expect_place(&lines, 3, 2, 1);
    expect_place(&lines, 5, 3, 1);
    expect_place(&lines, 7, 4, 1);
    expect_place(&lines, 8, 5, 1);
    expect_place(&lines, 10, 6, 1);
    lh_script_lines_free(&lines);
    uint32_t line;
    uint32_t column;
    assert_false(lh_script_lines_place(&lines, 0, &line, &column));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_read_from_the_programs_memory),
        cmocka_unit_test(test_letters_of_one_byte_are_widened),
        cmocka_unit_test(test_file_serves_where_there_is_no_memory),
        cmocka_unit_test(test_another_text_is_not_taken),
        cmocka_unit_test(test_lines_end_as_v8_has_it),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
