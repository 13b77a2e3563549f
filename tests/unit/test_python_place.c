/* SPDX-License-Identifier: Apache-2.0 */
/* Is a thread below the Python function that runs its loop? */
#include "preload/python/place.h"

#include "python_thread.h"

static uint32_t readings;

static int count_reading(void *to, uintptr_t address, size_t size)
{
    readings++;
    return lh_memory_read_self(to, address, size);
}

static enum lh_python_whereabouts whereabouts(const struct lh_python_place *parked)
{
    const struct lh_view counting = {.read = count_reading};
    readings = 0;
    return lh_python_place_left(&layout, &counting, (uintptr_t)&thread, parked);
}

/* f`RUNNER` runs the loop, in a thread that parked where f0 is. */
#define RUNNER 8
#define BEGAN  20
static struct lh_python_place park(void)
{
    struct lh_python_place parked;
    set_string(&file, "/usr/lib/python3.12/asyncio/base_events.py");
    set_string(&names[RUNNER], "BaseEventLoop.run_forever");
    set_string(&names[BEGAN], "<module>");
    frames[BEGAN].previous = NULL;
    lh_python_place_find(&layout, &direct, (uintptr_t)&thread, &parked);
    return parked;
}

static void test_a_thread_is_in_its_loop_while_the_frame_is_there_that_runs_it(void **state)
{
    (void)state;
    const struct lh_python_place parked = park();
    assert_int_equal(parked.runs, LH_PYTHON_RUNS_LOOP);
    assert_int_equal(parked.runner, &frames[RUNNER]);
    assert_int_equal(parked.runner_code, &codes[RUNNER]);
    assert_int_equal(whereabouts(&parked), LH_PYTHON_INSIDE);
    assert_int_equal(readings, 1 + RUNNER + 1); /* no names */
    thread.frame = &frames[RUNNER + 1];
    assert_int_equal(whereabouts(&parked), LH_PYTHON_LEFT);
}

static void test_a_loops_frame_is_not_believed_with_another_functions_code(void **state)
{
    (void)state;
    const struct lh_python_place parked = park();
    frames[RUNNER].code = &codes[0];
    assert_int_equal(whereabouts(&parked), LH_PYTHON_LEFT);
    frames[0].code = &codes[RUNNER]; /* it runs in another frame than before */
    assert_int_equal(whereabouts(&parked), LH_PYTHON_INSIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_thread_is_in_its_loop_while_the_frame_is_there_that_runs_it),
        TEST(test_a_loops_frame_is_not_believed_with_another_functions_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
