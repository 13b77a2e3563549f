/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a row of offsets: what an interpreter says of itself is believed only where it
 * agrees with the row. That the numbers are right is tests/e2e/test_python_walk.py's to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "preload/python/lines.h"
#include "preload/python/offsets.h"

#define STRING_ASCII_OF_3_14 640 /* where that row says the size of a PyASCIIObject stands */

/* _Py_DebugOffsets: each number is 40, which no object is too small for. */
static uint64_t runtime[128];
static struct lh_python_offsets found;

static int make_runtime(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(runtime) / sizeof(runtime[0]); i++)
        runtime[i] = 40;
    memcpy(&runtime[0], "xdebugpy", 8);
    runtime[1] = 0x030e02f0;
    runtime[2] = 0;
    runtime[STRING_ASCII_OF_3_14 / 8] = 64;
    runtime[608 / 8] = 56; /* bytes_data */
    runtime[304 / 8] = 0;  /* frame_bytecode_index … */
    runtime[392 / 8] = 0;  /* … and code_bytecode_copies: a build with a GIL has none */
    return 0;
}

static int find(uint32_t version)
{
    return lh_python_offsets_find(version, runtime, sizeof(runtime), &found);
}

static void test_a_version_without_a_row_is_refused(void **state)
{
    (void)state;
    static const uint32_t unknown[] = {0, 0x0207, 0x0307, 0x0310, 0x0400};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        runtime[1] = unknown[i] << 16;
        assert_int_equal(find(unknown[i]), -ENOTSUP);
    }
}

static void test_old_versions_need_no_runtime(void **state)
{
    (void)state;
    static const struct {
        uint32_t version;
        enum lh_python_line_format format;
    } known[] = {{0x0308, LH_PYTHON_LNOTAB},
                 {0x0309, LH_PYTHON_LNOTAB},
                 {0x030a, LH_PYTHON_RANGES},
                 {0x030b, LH_PYTHON_LOCATIONS},
                 {0x030c, LH_PYTHON_LOCATIONS}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_int_equal(lh_python_offsets_find(known[i].version, NULL, 0, &found), 0);
        assert_int_equal(found.line_format, known[i].format);
        assert_int_equal(found.string_kind_bit, 2);
    }
}

static void test_new_versions_say_where_things_are(void **state)
{
    (void)state;
    runtime[208 / 8] = 72; /* thread_frame */
    assert_int_equal(find(0x030e), 0);
    assert_int_equal(found.thread_frame, 72);
    assert_int_equal(found.string_ascii, 64);
    assert_int_equal(found.string_wide, 80);
    assert_int_equal(found.string_kind_bit, 2);
    assert_int_equal(found.code_bytecode_copies, 0);
    assert_int_equal(found.line_format, LH_PYTHON_LOCATIONS);
}

static void test_free_threaded_builds_keep_the_kind_of_a_str_elsewhere(void **state)
{
    (void)state;
    runtime[2] = 1;
    runtime[392 / 8] = 200;
    assert_int_equal(find(0x030e), 0);
    assert_int_equal(found.string_kind_bit, 8);
    assert_int_equal(found.code_bytecode_copies, 200);
}

static void test_a_runtime_of_another_version_is_refused(void **state)
{
    (void)state;
    runtime[1] = 0x030d00f0;
    assert_int_equal(find(0x030e), -ENOTSUP);
}

static void test_what_is_no_table_of_offsets_is_refused(void **state)
{
    (void)state;
    assert_int_equal(lh_python_offsets_find(0x030e, NULL, 0, &found), -ENOTSUP);
    assert_int_equal(lh_python_offsets_find(0x030e, runtime, 600, &found), -ENOTSUP);
    memcpy(&runtime[0], "xdebugPY", 8);
    assert_int_equal(find(0x030e), -ENOTSUP);
}

static void test_offsets_beyond_what_is_read_are_refused(void **state)
{
    static const uint64_t large[] = {LH_PYTHON_HEADER_SPAN_MAX + 1, UINT16_MAX, UINT16_MAX + 1ULL,
                                     UINT64_MAX};
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        make_runtime(state);
        runtime[STRING_ASCII_OF_3_14 / 8] = large[i];
        assert_int_equal(find(0x030e), -ENOTSUP);
        make_runtime(state);
        runtime[256 / 8] = large[i] + LH_PYTHON_FRAME_SPAN_MAX; /* frame_previous */
        assert_int_equal(find(0x030e), -ENOTSUP);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, make_runtime)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_version_without_a_row_is_refused),
        TEST(test_old_versions_need_no_runtime),
        TEST(test_new_versions_say_where_things_are),
        TEST(test_free_threaded_builds_keep_the_kind_of_a_str_elsewhere),
        TEST(test_a_runtime_of_another_version_is_refused),
        TEST(test_what_is_no_table_of_offsets_is_refused),
        TEST(test_offsets_beyond_what_is_read_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
