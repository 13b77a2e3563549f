/* SPDX-License-Identifier: Apache-2.0 */
/* What the samples of a stall have in common: where most of its time went, and where else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/report/groups.h"

#define MS         1000000ULL
#define PACKAGE(n) "/usr/lib/python3/dist-packages/" n

static struct lh_groups groups;

static struct lh_frame frame(const char *function, const char *file, uint32_t line)
{
    return (struct lh_frame){
        .lang = LH_LANG_PYTHON, .function = function, .file = file, .line = line};
}

#define USER(function, line) frame(function, "/app/app.py", line)
#define LOOP(function)       frame(function, PACKAGE("uvloop/loop.py"), 7)
#define CODEC(line)          frame("encode", PACKAGE("codec/encode.py"), line)
#define SAMPLE(stack, time)                                                                        \
    {                                                                                              \
        .ns = (time), .count = 1, .frame_count = sizeof(stack) / sizeof((stack)[0]),               \
        .frames = (stack)                                                                          \
    }
#define FIND(samples) lh_groups_find(&groups, samples, sizeof(samples) / sizeof((samples)[0]))

static void test_samples_that_part_in_a_function_are_one_place_in_it(void **state)
{
    const struct lh_frame first[] = {CODEC(11), USER("score", 41), LOOP("run")};
    const struct lh_frame second[] = {frame("append", PACKAGE("codec/list.py"), 3),
                                      USER("score", 42), LOOP("run")};
    const struct lh_frame third[] = {frame("get", PACKAGE("codec/dict.py"), 9), USER("score", 42),
                                     LOOP("run")};
    const struct lh_sample samples[] = {SAMPLE(first, 40 * MS), SAMPLE(second, 30 * MS),
                                        SAMPLE(third, 30 * MS)};
    (void)state;
    assert_in_range(FIND(samples), 1, 2);
    assert_int_equal(groups.samples[0].ns, 100 * MS);
    assert_int_equal(groups.samples[0].frame_count, 2);
    assert_string_equal(groups.samples[0].frames[0].function, "score");
    assert_int_equal(groups.samples[0].frames[0].line, 42);
    assert_true(groups.samples[0].frames[0].user);
    assert_string_equal(groups.samples[0].frames[1].function, "run");
}

static void test_calls_of_a_function_that_calls_itself_have_a_stem(void **state)
{
    const struct lh_frame shallow[] = {CODEC(5), CODEC(11), LOOP("run")};
    const struct lh_frame deep[] = {CODEC(5), CODEC(12), CODEC(11), LOOP("run")};
    const struct lh_frame elsewhere[] = {frame("id", PACKAGE("codec/x.py"), 1), CODEC(12),
                                         LOOP("run")};
    const struct lh_sample samples[] = {SAMPLE(shallow, 40 * MS), SAMPLE(deep, 35 * MS),
                                        SAMPLE(elsewhere, 25 * MS)};
    (void)state;
    FIND(samples);
    assert_int_equal(groups.samples[0].ns, 75 * MS);
    assert_int_equal(groups.samples[0].frame_count, 3);
    assert_string_equal(groups.samples[0].frames[0].function, "encode");
}

static void test_two_handlers_of_one_iteration_are_two_groups(void **state)
{
    const struct lh_frame score[] = {USER("score", 41), LOOP("run"), USER("main", 90)};
    const struct lh_frame load[] = {USER("load", 20), LOOP("run"), USER("main", 90)};
    const struct lh_frame tidy[] = {USER("tidy", 30), LOOP("run"), USER("main", 90)};
    const struct lh_sample samples[] = {SAMPLE(score, 45 * MS), SAMPLE(load, 40 * MS),
                                        SAMPLE(tidy, 15 * MS)};
    (void)state;
    assert_int_equal(FIND(samples), 2);
    assert_string_equal(groups.samples[0].frames[0].function, "score");
    assert_int_equal(groups.samples[0].ns, 45 * MS);
    assert_string_equal(groups.samples[1].frames[0].function, "load");
    assert_int_equal(groups.samples[1].frame_count, 3);
}

#define NATIVE(name)                                                                               \
    (struct lh_frame)                                                                              \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = "/usr/bin/node"                      \
    }
#define JS(name, path)                                                                             \
    (struct lh_frame)                                                                              \
    {                                                                                              \
        .lang = LH_LANG_JIT, .function = (name), .file = (path), .line = 1                         \
    }
#define NODE_MODULE(path) "/app/node_modules/" path

/* What Node.js calls first is the same of all ways, and says nothing. */
static void test_ways_are_followed_to_a_file_that_somebody_has(void **state)
{
    const struct lh_frame ticks = JS("processTicks", "node:internal/process/task_queues");
    const struct lh_frame loads = JS("load", NODE_MODULE("a/x.js"));
    const struct lh_frame close = NATIVE("node::Close");
    const struct lh_frame loop = NATIVE("uv_run");
    const struct lh_frame parse[] = {JS("parse", NODE_MODULE("a/x.js")), loads, ticks, close, loop};
    const struct lh_frame read[] = {JS("read", NODE_MODULE("a/y.js")), loads, ticks, close, loop};
    const struct lh_frame trace[] = {JS("trace", NODE_MODULE("a/z.js")), loads, ticks, close, loop};
    const struct lh_frame other[] = {JS("other", NODE_MODULE("b/x.js")), ticks, close, loop};
    const struct lh_frame timer[] = {NATIVE("node::Timer"), loop};
    const struct lh_sample samples[] = {SAMPLE(timer, 30 * MS), SAMPLE(other, 25 * MS),
                                        SAMPLE(parse, 20 * MS), SAMPLE(read, 15 * MS),
                                        SAMPLE(trace, 10 * MS)};
    (void)state;
    assert_int_equal(FIND(samples), 2);
    assert_int_equal(groups.samples[0].ns, 45 * MS);
    assert_string_equal(groups.samples[0].frames[0].function, "load");
}

static void test_what_had_less_than_a_fifth_of_the_time_is_no_group(void **state)
{
    const struct lh_frame score[] = {USER("score", 41), LOOP("run")};
    const struct lh_frame load[] = {USER("load", 20), LOOP("run")};
    const struct lh_sample samples[] = {SAMPLE(score, 81 * MS), SAMPLE(load, 19 * MS)};
    (void)state;
    assert_int_equal(FIND(samples), 1);
}

static void test_of_no_samples_there_is_no_group(void **state)
{
    const struct lh_sample empty = {.ns = 10 * MS, .count = 1};
    (void)state;
    assert_int_equal(lh_groups_find(&groups, NULL, 0), 0);
    assert_int_equal(lh_groups_find(&groups, &empty, 1), 0);
}

static void test_more_samples_and_frames_than_fit_do_no_harm(void **state)
{
    static struct lh_frame stack[LH_STACK_FRAMES_MAX];
    static struct lh_sample samples[1000];
    (void)state;
    for (uint32_t i = 0; i < LH_STACK_FRAMES_MAX; i++)
        stack[i] = USER("score", i);
    for (uint32_t i = 0; i < 1000; i++)
        samples[i] = (struct lh_sample){
            .ns = MS, .frame_count = 1 + i % LH_STACK_FRAMES_MAX, .frames = stack};
    assert_int_not_equal(FIND(samples), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_that_part_in_a_function_are_one_place_in_it),
        cmocka_unit_test(test_calls_of_a_function_that_calls_itself_have_a_stem),
        cmocka_unit_test(test_two_handlers_of_one_iteration_are_two_groups),
        cmocka_unit_test(test_ways_are_followed_to_a_file_that_somebody_has),
        cmocka_unit_test(test_what_had_less_than_a_fifth_of_the_time_is_no_group),
        cmocka_unit_test(test_of_no_samples_there_is_no_group),
        cmocka_unit_test(test_more_samples_and_frames_than_fit_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
