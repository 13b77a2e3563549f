/* SPDX-License-Identifier: Apache-2.0 */
/* Python frames among native ones, by stack address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/stack/merge.h"

#define MOST   16u
#define NATIVE 4u

/* Frames of 0x100 bytes each: 0x1000, 0x1100, 0x1200, 0x1300. */
static const struct lh_native_frame native[NATIVE] = {{0xa, 0x1000, 0, false},
                                                      {0xb, 0x1100, 0, false},
                                                      {0xc, 0x1200, 0, false},
                                                      {0xd, 0x1300, 0, false}};

/* Checks against a text such as "n0 p0 p1 n2". */
static void expect_text(const struct lh_merged_frame *merged, uint32_t count, const char *expected)
{
    static const char names[] = {
        [LH_MERGED_NATIVE] = 'n', [LH_MERGED_PYTHON] = 'p', [LH_MERGED_JS] = 'j'};
    char text[4 * MOST] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text[used++] = ' ';
        text[used++] = names[merged[i].from];
        text[used++] = (char)('0' + merged[i].index);
    }
    text[used] = '\0';
    assert_string_equal(text, expected);
}

static void expect_merged_in(struct lh_code_range loop, const struct lh_native_frame *frames,
                             uint32_t frame_count, const uint64_t *boundaries,
                             uint32_t python_count, uint32_t most, const char *expected)
{
    struct lh_python_frame python[8] = {{0}};
    for (uint32_t i = 0; i < python_count; i++)
        python[i].boundary = boundaries != NULL ? boundaries[i] : 0;
    struct lh_merged_frame merged[MOST];
    uint32_t count = lh_merge(frames, frame_count, python, python_count, loop, merged, most);
    assert_true(count <= most);

    expect_text(merged, count, expected);
}

static void expect_merged(const struct lh_native_frame *frames, uint32_t frame_count,
                          const uint64_t *boundaries, uint32_t python_count, uint32_t most,
                          const char *expected)
{
    expect_merged_in((struct lh_code_range){0}, frames, frame_count, boundaries, python_count, most,
                     expected);
}

static void test_without_python_frames_the_native_ones_stay(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, NULL, 0, MOST, "n0 n1 n2 n3");
}

static void test_without_a_native_stack_python_frames_stand_alone(void **state)
{
    (void)state;
    expect_merged(native, 0, (const uint64_t[]){0, 0x1180, 0}, 3, MOST, "p0 p1 p2");
}

static void test_the_loop_frame_gives_way_to_its_python_frames(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0, 0x1180}, 2, MOST, "n0 p0 p1 n2 n3");
}

static void test_each_loop_takes_its_own_python_frames(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0x1080, 0, 0x1280}, 3, MOST, "p0 n1 p1 p2 n3");
}

static void test_a_boundary_at_the_start_of_a_frame_belongs_to_it(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0x1100}, 1, MOST, "n0 p0 n2 n3");
}

static void test_a_boundary_at_the_end_of_a_frame_belongs_to_the_next(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0x1200}, 1, MOST, "n0 n1 p0 n3");
}

static void test_two_boundaries_in_one_frame_keep_all_frames(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0x1110, 0x1120}, 2, MOST, "n0 p0 p1 n2 n3");
}

static void test_python_frames_beyond_the_native_stack_come_last(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0x1180, 0, 0x9000}, 3, MOST,
                  "n0 p0 n2 n3 p1 p2");
}

static void test_python_frames_without_boundaries_come_last(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0, 0}, 2, MOST, "n0 n1 n2 n3 p0 p1");
}

static void test_python_frames_below_the_native_stack_come_first(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0, 0x800, 0x1280}, 3, MOST,
                  "p0 p1 n0 n1 p2 n3");
}

static void test_no_more_frames_than_asked_for(void **state)
{
    (void)state;
    expect_merged(native, NATIVE, (const uint64_t[]){0, 0x1180, 0x9000}, 3, 2, "n0 p0");
    expect_merged(native, NATIVE, NULL, 0, 3, "n0 n1 n2");
    expect_merged(native, NATIVE, (const uint64_t[]){0, 0}, 2, 0, "");
}

/* Up to CPython 3.9: the loop is known by its instructions alone, here [0xb, 0xc]. */
static const struct lh_code_range loop = {0xa, 2};

static void test_without_boundaries_each_loop_frame_gives_way_to_one_python_frame(void **state)
{
    (void)state;
    expect_merged_in(loop, native, NATIVE, NULL, 2, MOST, "n0 p0 p1 n3");
}

static void test_python_frames_whose_loop_was_not_copied_come_last(void **state)
{
    (void)state;
    expect_merged_in(loop, native, 2, NULL, 3, MOST, "n0 p0 p1 p2");
}

static void test_a_loop_without_a_python_frame_stays(void **state)
{
    (void)state;
    expect_merged_in(loop, native, NATIVE, NULL, 1, MOST, "n0 p0 n2 n3");
    expect_merged_in(loop, native, NATIVE, NULL, 2, 2, "n0 p0");
}

/* JavaScript frames with these frame pointers, among native ones and a Python one. */
static void expect_js(const uint64_t *fps, uint32_t js_count, uint32_t frame_count,
                      const char *expected)
{
    struct lh_python_frame python = {.boundary = 0x1180};
    struct lh_js_frame js[8] = {{0}};
    struct lh_merged_frame merged[MOST];
    struct lh_merged_frame former[MOST];
    for (uint32_t i = 0; i < js_count; i++)
        js[i].fp = fps[i];
    uint32_t count = lh_merge(native, frame_count, &python, frame_count > 0,
                              (struct lh_code_range){0}, merged, MOST);
    count = lh_merge_js(native, frame_count, js, js_count, merged, count, MOST, former);
    expect_text(merged, count, expected);
}

static void test_a_js_frame_stands_for_the_native_one_with_its_frame_pointer(void **state)
{
    (void)state;
    expect_js((const uint64_t[]){0x1200}, 1, NATIVE, "n0 p0 j0 n3");
}

static void test_inlined_js_frames_stand_for_one_native_frame(void **state)
{
    (void)state;
    expect_js((const uint64_t[]){0x1010, 0x1010, 0x12f0}, 3, NATIVE, "j0 j1 p0 j2 n3");
}

static void test_js_frames_beyond_the_native_stack_are_kept(void **state)
{
    (void)state;
    expect_js((const uint64_t[]){0x1010, 0x1310, 0x9000}, 3, NATIVE, "j0 p0 n2 n3 j1 j2");
}

static void test_js_frames_without_a_native_stack_stand_alone(void **state)
{
    (void)state;
    expect_js((const uint64_t[]){0x1010, 0x1310}, 2, 0, "j0 j1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_python_frames_the_native_ones_stay),
        cmocka_unit_test(test_without_a_native_stack_python_frames_stand_alone),
        cmocka_unit_test(test_the_loop_frame_gives_way_to_its_python_frames),
        cmocka_unit_test(test_each_loop_takes_its_own_python_frames),
        cmocka_unit_test(test_a_boundary_at_the_start_of_a_frame_belongs_to_it),
        cmocka_unit_test(test_a_boundary_at_the_end_of_a_frame_belongs_to_the_next),
        cmocka_unit_test(test_two_boundaries_in_one_frame_keep_all_frames),
        cmocka_unit_test(test_python_frames_beyond_the_native_stack_come_last),
        cmocka_unit_test(test_python_frames_without_boundaries_come_last),
        cmocka_unit_test(test_python_frames_below_the_native_stack_come_first),
        cmocka_unit_test(test_no_more_frames_than_asked_for),
        cmocka_unit_test(test_without_boundaries_each_loop_frame_gives_way_to_one_python_frame),
        cmocka_unit_test(test_python_frames_whose_loop_was_not_copied_come_last),
        cmocka_unit_test(test_a_loop_without_a_python_frame_stays),
        cmocka_unit_test(test_a_js_frame_stands_for_the_native_one_with_its_frame_pointer),
        cmocka_unit_test(test_inlined_js_frames_stand_for_one_native_frame),
        cmocka_unit_test(test_js_frames_beyond_the_native_stack_are_kept),
        cmocka_unit_test(test_js_frames_without_a_native_stack_stand_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
