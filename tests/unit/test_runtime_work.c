/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime does for itself, from its frames. */
#include "collect/stack/runtime_work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define NATIVE(name)                                                                               \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = "/usr/bin/node"                      \
    }
#define JIT(name)                                                                                  \
    {                                                                                              \
        .lang = LH_LANG_JIT, .function = (name), .file = "/srv/shop.js"                            \
    }

static void test_kind_of_a_collection_is_that_of_the_innermost_function(void **state)
{
    (void)state;
    const struct lh_frame scavenge[] = {
        NATIVE("v8::platform::DefaultJobHandle::Join"),
        NATIVE("v8::internal::ScavengerCollector::CollectGarbage"),
        NATIVE("v8::internal::Heap::PerformGarbageCollection(v8::internal::GarbageCollector)"),
        NATIVE("v8::internal::Heap::CollectGarbage"), JIT("price")};
    const struct lh_frame full[] = {NATIVE("v8::internal::MarkCompactCollector::MarkLiveObjects"),
                                    NATIVE("v8::internal::Heap::CollectGarbage"), JIT("price")};
    const struct lh_frame minor[] = {
        NATIVE("v8::internal::MinorMarkSweepCollector::CollectGarbage"), JIT("price")};
    const struct lh_frame steps[] = {
        NATIVE("v8::internal::IncrementalMarking::AdvanceOnAllocation"), JIT("price")};
    const struct lh_frame some[] = {NATIVE("v8::internal::Heap::CollectGarbage"), JIT("price")};
    assert_int_equal(lh_frames_work(scavenge, COUNT(scavenge)), LH_WORK_V8_SCAVENGE);
    assert_int_equal(lh_frames_work(full, COUNT(full)), LH_WORK_V8_MARK_COMPACT);
    assert_int_equal(lh_frames_work(minor, COUNT(minor)), LH_WORK_V8_MINOR_MARK);
    assert_int_equal(lh_frames_work(steps, COUNT(steps)), LH_WORK_V8_INCREMENTAL);
    assert_int_equal(lh_frames_work(some, COUNT(some)), LH_WORK_V8_GARBAGE);
    assert_true(lh_work_collects(LH_WORK_V8_INCREMENTAL));
}

static void test_what_is_compiled_is_what_the_innermost_script_waits_for(void **state)
{
    (void)state;
    const struct lh_frame compiles[] = {
        NATIVE("v8::internal::ParserBase<v8::internal::Parser>::ParsePrimaryExpression()"),
        NATIVE("v8::internal::Compiler::GetSharedFunctionInfoForScript"), JIT("load")};
    const struct lh_frame runs[] = {NATIVE("v8::internal::Runtime_DateCurrentTime"), JIT("price"),
                                    NATIVE("v8::internal::Compiler::Compile"), JIT("load")};
    assert_int_equal(lh_frames_work(compiles, COUNT(compiles)), LH_WORK_V8_COMPILER);
    assert_int_equal(lh_frames_work(runs, COUNT(runs)), LH_WORK_NONE);
    assert_false(lh_work_collects(LH_WORK_V8_COMPILER));
}

static void test_names_of_other_programs_are_no_work(void **state)
{
    (void)state;
    struct lh_frame frames[] = {NATIVE("v8::internal::Heap::Scavenge"), JIT("price")};
    frames[0].module = "/srv/shop/server";
    assert_int_equal(lh_frames_work(frames, COUNT(frames)), LH_WORK_NONE);
    assert_null(lh_work_place(LH_WORK_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kind_of_a_collection_is_that_of_the_innermost_function),
        cmocka_unit_test(test_what_is_compiled_is_what_the_innermost_script_waits_for),
        cmocka_unit_test(test_names_of_other_programs_are_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
