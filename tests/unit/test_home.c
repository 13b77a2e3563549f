/* SPDX-License-Identifier: Apache-2.0 */
/* Which function runs a loop, as the frames of its park say. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "collect/stack/home.h"

#define FRAMES      40u
#define FRAME_WORDS 4u /* of the stack, for each function; the last one is its return address */
#define STACK       UINT64_C(0x7000)
#define CODE        UINT64_C(0x400000)

static struct lh_record record;
static struct lh_native_frame frames[FRAMES];
static enum lh_home_role roles[FRAMES];
static struct lh_home home;

/* A stack of functions of the same size. */
static int set_up(void **state)
{
    (void)state;
    memset(roles, 0, sizeof(roles));
    memset(&home, 0, sizeof(home));
    record.stack_address = STACK;
    record.stack_length = FRAMES * FRAME_WORDS * sizeof(uint64_t);
    for (uint32_t i = 0; i < FRAMES; i++) {
        uint64_t pc = CODE + i;
        frames[i] = (struct lh_native_frame){.pc = pc,
                                             .sp = STACK + (uint64_t)i * FRAME_WORDS * sizeof(pc)};
        if (i > 0)
            memcpy(record.stack + (i * FRAME_WORDS - 1) * sizeof(pc), &pc, sizeof(pc));
    }
    return 0;
}

static uint64_t return_address_of(uint32_t frame)
{
    return STACK + ((uint64_t)(frame + 1) * FRAME_WORDS - 1) * sizeof(uint64_t);
}

static void expect_frame(uint32_t at, uint32_t frame)
{
    assert_int_equal(home.frames[at].at, return_address_of(frame));
    assert_int_equal(home.frames[at].returns_to, CODE + frame + 1);
}

static void test_names_are_known_with_their_parameters_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(lh_home_role_of("uv_run"), LH_ROLE_TURNS);
    assert_int_equal(lh_home_role_of("QEventLoop::exec(QFlags<QEventLoop::ProcessEventsFlag>)"),
                     LH_ROLE_RUNS);
    assert_int_equal(lh_home_role_of("uv_run_all"), LH_ROLE_NONE);
    assert_int_equal(lh_home_role_of("uv"), LH_ROLE_NONE);
    assert_int_equal(lh_home_role_of(NULL), LH_ROLE_NONE);
}

static void test_loop_begins_at_the_outermost_function_that_runs_one(void **state)
{
    (void)state;
    roles[1] = roles[4] = LH_ROLE_TURNS;
    roles[6] = LH_ROLE_MAIN;
    lh_home_fill(&home, &record, frames, roles, 9);
    assert_int_equal(home.kind, LH_HOME_TURNS);
    assert_int_equal(home.count, 3);
    assert_int_equal(home.main, 2);
    for (uint32_t i = 0; i < 3; i++)
        expect_frame(i, 4 + i);
}

static void test_without_a_name_all_functions_may_be_the_one(void **state)
{
    (void)state;
    lh_home_fill(&home, &record, frames, roles, 5);
    assert_int_equal(home.kind, LH_HOME_GUESSED);
    assert_int_equal(home.count, 4);
    assert_int_equal(home.main, home.count);
    expect_frame(0, 0);
}

static void test_what_python_calls_to_run_the_program_is_its_main(void **state)
{
    (void)state;
    roles[3] = LH_ROLE_CALLS_MAIN;
    lh_home_fill(&home, &record, frames, roles, 9);
    assert_int_equal(home.count, 3);
    assert_int_equal(home.main, 2);
    expect_frame(2, 2);
}

static void test_main_is_kept_of_a_stack_that_is_too_deep(void **state)
{
    (void)state;
    roles[35] = LH_ROLE_MAIN;
    lh_home_fill(&home, &record, frames, roles, FRAMES);
    assert_int_equal(home.count, LH_HOME_FRAMES);
    assert_int_equal(home.main, LH_HOME_FRAMES - 1);
    expect_frame(0, 0);
    expect_frame(LH_HOME_FRAMES - 1, 35);
}

static void test_stack_is_known_as_far_as_return_addresses_are_where_they_should_be(void **state)
{
    (void)state;
    record.stack[(3 * FRAME_WORDS - 1) * sizeof(uint64_t)] ^= 1;
    lh_home_fill(&home, &record, frames, roles, 9);
    assert_int_equal(home.count, 2);
}

static void test_stack_is_known_as_far_as_its_code_was_not_made_at_run_time(void **state)
{
    (void)state;
    roles[3] = LH_ROLE_MADE;
    lh_home_fill(&home, &record, frames, roles, 9);
    assert_int_equal(home.count, 2);
    roles[0] = LH_ROLE_MADE;
    lh_home_fill(&home, &record, frames, roles, 9);
    assert_int_equal(home.count, 0);
}

static void test_nothing_is_known_of_an_empty_stack(void **state)
{
    (void)state;
    lh_home_fill(&home, &record, frames, roles, 0);
    assert_int_equal(home.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names_are_known_with_their_parameters_and_no_more, set_up),
        cmocka_unit_test_setup(test_loop_begins_at_the_outermost_function_that_runs_one, set_up),
        cmocka_unit_test_setup(test_without_a_name_all_functions_may_be_the_one, set_up),
        cmocka_unit_test_setup(test_what_python_calls_to_run_the_program_is_its_main, set_up),
        cmocka_unit_test_setup(test_main_is_kept_of_a_stack_that_is_too_deep, set_up),
        cmocka_unit_test_setup(
            test_stack_is_known_as_far_as_return_addresses_are_where_they_should_be, set_up),
        cmocka_unit_test_setup(test_stack_is_known_as_far_as_its_code_was_not_made_at_run_time,
                               set_up),
        cmocka_unit_test_setup(test_nothing_is_known_of_an_empty_stack, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
