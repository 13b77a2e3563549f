/* SPDX-License-Identifier: Apache-2.0 */
/* Which plain function a loop of Python's has called, from its frames. */
#include "collect/stack/callback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define PYTHON(name, path)                                                                         \
    {                                                                                              \
        .lang = LH_LANG_PYTHON, .function = (name), .file = (path)                                 \
    }
#define NATIVE(name, path)                                                                         \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = (path)                               \
    }
#define EVENTS "/usr/lib/python3.11/asyncio/events.py"
#define UVLOOP "/v/site-packages/uvloop/loop.cpython-311-x86_64-linux-gnu.so"

static const struct lh_python_task no_task;

static void test_callback_is_what_asyncios_handle_called(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {NATIVE("pysleep", "/usr/bin/python3.11"),
                                      PYTHON("wait", "app.py"),
                                      PYTHON("Clock.tick", "app.py"),
                                      NATIVE("context_run", "/usr/bin/python3.11"),
                                      PYTHON("Handle._run", EVENTS),
                                      PYTHON("BaseEventLoop._run_once", "base_events.py")};
    assert_string_equal(lh_callback_of(&no_task, frames, COUNT(frames)), "Clock.tick");
}

static void test_name_of_the_handle_up_to_3_10_is_known_too(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {PYTHON("tick", "app.py"), PYTHON("_run", EVENTS)};
    assert_string_equal(lh_callback_of(&no_task, frames, COUNT(frames)), "tick");
}

static void test_under_uvloop_it_is_what_its_machine_code_called(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {
        PYTHON("tick", "app.py"), NATIVE("_PyEval_Vector", "/usr/bin/python3.11"),
        NATIVE(NULL, UVLOOP), NATIVE("uv__run_timers", UVLOOP), PYTHON("Runner.run", "runners.py")};
    assert_string_equal(lh_callback_of(&no_task, frames, COUNT(frames)), "tick");
}

static void test_what_is_no_function_of_pythons_has_no_name(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {NATIVE("pysleep", "/usr/bin/python3.11"),
                                      PYTHON("Handle._run", EVENTS)};
    assert_null(lh_callback_of(&no_task, frames, COUNT(frames)));
}

static void test_task_is_no_callback_known_or_not(void **state)
{
    (void)state;
    static const struct lh_python_task tasks[] = {
        {.has_name = 1}, {.has_coroutine = 1}, {.in_coroutine = 1}};
    const struct lh_frame frames[] = {PYTHON("main", "app.py"), PYTHON("Handle._run", EVENTS)};
    for (uint32_t i = 0; i < COUNT(tasks); i++)
        assert_null(lh_callback_of(&tasks[i], frames, COUNT(frames)));
}

static void test_outside_of_such_a_loop_there_is_none(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {PYTHON("_run", "/srv/app/events.py"),
                                      PYTHON("main", "app.py")};
    assert_null(lh_callback_of(&no_task, frames, COUNT(frames)));
    assert_null(lh_callback_of(&no_task, frames, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_callback_is_what_asyncios_handle_called),
        cmocka_unit_test(test_name_of_the_handle_up_to_3_10_is_known_too),
        cmocka_unit_test(test_under_uvloop_it_is_what_its_machine_code_called),
        cmocka_unit_test(test_what_is_no_function_of_pythons_has_no_name),
        cmocka_unit_test(test_task_is_no_callback_known_or_not),
        cmocka_unit_test(test_outside_of_such_a_loop_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
