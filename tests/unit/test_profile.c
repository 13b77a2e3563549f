/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of long iterations, added up until their stall is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/report/profile.h"

static struct lh_profile *profile;
static struct lh_record record;

static int set_up(void **state)
{
    (void)state;
    memset(&record, 0, sizeof(record));
    profile = lh_profile_new();
    return profile == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    lh_profile_free(profile);
    return 0;
}

static struct lh_frame native(const char *function, uint64_t offset)
{
    return (struct lh_frame){
        .lang = LH_LANG_NATIVE, .function = function, .module = "/lib/m.so", .offset = offset};
}

static struct lh_frame python(const char *function, uint32_t line)
{
    return (struct lh_frame){
        .lang = LH_LANG_PYTHON, .function = function, .file = "app.py", .line = line};
}

static void add(uint32_t tid, uint64_t iteration_id, const struct lh_frame *frames, uint32_t count)
{
    record.tid = tid;
    record.stall.iteration_id = iteration_id;
    record.elapsed_ns = LH_SAMPLE_NS;
    lh_profile_add(profile, &record, frames, count);
}

static uint32_t take(uint32_t tid, uint64_t iteration_id, const struct lh_sample **samples)
{
    record.tid = tid;
    record.stall.iteration_id = iteration_id;
    return lh_profile_take(profile, &record, samples);
}

static void test_equal_stacks_are_counted_and_the_most_seen_comes_first(void **state)
{
    const struct lh_frame rare[] = {python("load", 7), python("main", 20)};
    const struct lh_frame often[] = {python("score", 41), python("main", 20)};
    const struct lh_sample *samples;
    (void)state;
    add(1, 5, rare, 2);
    for (int i = 0; i < 3; i++)
        add(1, 5, often, 2);
    assert_int_equal(take(1, 5, &samples), 2);
    assert_int_equal(samples[0].count, 3);
    assert_string_equal(samples[0].frames[0].function, "score");
    assert_int_equal(samples[1].count, 1);
    assert_string_equal(samples[1].frames[1].file, "app.py");
}

static void test_time_in_the_garbage_collector_is_a_part_of_its_place(void **state)
{
    struct lh_frame collecting[] = {native("gc_collect_main", 16), python("load", 7)};
    const struct lh_frame other[] = {native("PyList_Append", 32), python("load", 7)};
    const struct lh_sample *samples;
    (void)state;
    collecting[0].module = "/usr/bin/python3.12";
    add(1, 5, collecting, 2);
    add(1, 5, collecting, 2);
    add(1, 5, other, 2);
    assert_int_equal(take(1, 5, &samples), 2);
    assert_int_equal(samples[0].work_ns[LH_WORK_CPYTHON_GARBAGE], 2 * LH_SAMPLE_NS);
    assert_int_equal(samples[1].work_ns[LH_WORK_CPYTHON_GARBAGE], 0);
}

static void test_frames_outlive_the_names_they_came_with(void **state)
{
    char name[] = "score";
    const struct lh_frame frame = python(name, 41);
    const struct lh_sample *samples;
    (void)state;
    add(1, 5, &frame, 1);
    memset(name, 'x', sizeof(name) - 1);
    assert_int_equal(take(1, 5, &samples), 1);
    assert_string_equal(samples[0].frames[0].function, "score");
}

static void test_places_inside_the_function_that_runs_are_one(void **state)
{
    const struct lh_frame here[] = {native("match", 0x10), native("search", 0x90),
                                    python("parse", 3)};
    const struct lh_frame there[] = {native("match", 0x18), native("search", 0x98),
                                     python("parse", 3)};
    const struct lh_frame next_line[] = {native("match", 0x18), native("search", 0x98),
                                         python("parse", 4)};
    const struct lh_sample *samples;
    (void)state;
    add(1, 5, here, 3);
    add(1, 5, there, 3);
    add(1, 5, next_line, 3);
    assert_int_equal(take(1, 5, &samples), 2);
    assert_int_equal(samples[0].count, 2);
}

static void test_callers_in_machine_code_are_told_apart_by_their_place(void **state)
{
    const struct lh_frame first[] = {native("compute", 0x10), native("main", 0x90)};
    const struct lh_frame second[] = {native("compute", 0x18), native("main", 0x98)};
    const struct lh_sample *samples;
    (void)state;
    add(1, 5, first, 2);
    add(1, 5, second, 2);
    assert_int_equal(take(1, 5, &samples), 2);
}

static void test_samples_of_an_iteration_that_was_no_stall_are_forgotten(void **state)
{
    const struct lh_frame before = python("before", 1);
    const struct lh_frame now = python("now", 2);
    const struct lh_sample *samples;
    (void)state;
    add(1, 5, &before, 1);
    assert_int_equal(take(1, 6, &samples), 0);
    add(1, 6, &now, 1);
    assert_int_equal(take(1, 6, &samples), 1);
    assert_string_equal(samples[0].frames[0].function, "now");
}

static void test_threads_are_kept_apart(void **state)
{
    const struct lh_frame one = python("one", 1);
    const struct lh_frame two = python("two", 2);
    const struct lh_sample *samples;
    (void)state;
    add(1, 5, &one, 1);
    add(2, 5, &two, 1);
    assert_int_equal(take(1, 5, &samples), 1);
    assert_string_equal(samples[0].frames[0].function, "one");
}

static void test_a_sample_counts_for_the_time_it_stands_for(void **state)
{
    const struct lh_frame frame = python("read", 1);
    const struct lh_sample *samples;
    (void)state;
    record.tid = 1;
    record.elapsed_ns = 5 * LH_SAMPLE_NS + 1;
    lh_profile_add(profile, &record, &frame, 1);
    assert_int_equal(lh_profile_take(profile, &record, &samples), 1);
    assert_int_equal(samples[0].count, 5);
}

static void test_more_stacks_and_threads_than_fit_are_left_out(void **state)
{
    const struct lh_sample *samples;
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        const struct lh_frame frame = python("f", i);
        add(1, 5, &frame, 1);
    }
    uint32_t kept = take(1, 5, &samples);
    assert_in_range(kept, 16, 999);
    for (uint32_t tid = 2; tid < 500; tid++) {
        const struct lh_frame frame = python("g", tid);
        add(tid, 1, &frame, 1);
    }
    assert_int_equal(take(499, 1, &samples), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_equal_stacks_are_counted_and_the_most_seen_comes_first),
        TEST(test_time_in_the_garbage_collector_is_a_part_of_its_place),
        TEST(test_frames_outlive_the_names_they_came_with),
        TEST(test_places_inside_the_function_that_runs_are_one),
        TEST(test_callers_in_machine_code_are_told_apart_by_their_place),
        TEST(test_samples_of_an_iteration_that_was_no_stall_are_forgotten),
        TEST(test_threads_are_kept_apart),
        TEST(test_a_sample_counts_for_the_time_it_stands_for),
        TEST(test_more_stacks_and_threads_than_fit_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
