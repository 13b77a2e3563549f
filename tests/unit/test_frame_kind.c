/* SPDX-License-Identifier: Apache-2.0 */
/* Whose code a frame is: every row of src/frames.def, and where a person should look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "collect/stack/frame_kind.h"
#include "common/qualified_name.h"
#include "common/text.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define PYTHON_FRAME(name, path)                                                                   \
    {                                                                                              \
        .lang = LH_LANG_PYTHON, .function = (name), .file = (path)                                 \
    }
#define JIT_FRAME(name, path)                                                                      \
    {                                                                                              \
        .lang = LH_LANG_JIT, .function = (name), .file = (path)                                    \
    }
#define NATIVE_FRAME(name, path)                                                                   \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = (path)                               \
    }

enum part { PART_FILE, PART_SCRIPT, PART_MODULE, PART_BASE, PART_FUNCTION };

static const struct row {
    enum lh_lang lang;
    enum part part;
    const char *function;
    enum lh_frame_kind kind;
    const char *example;
} rows[] = {
#define FRAMES(lang, part, globs, function, whose, example, doc)                                   \
    {LH_LANG_##lang, PART_##part, function, LH_FRAME_##whose, example},
#include "frames.def"
};

/* A name that the glob of a row matches: "v8::*" itself does. */
static struct lh_frame example_of(const struct row *row)
{
    struct lh_frame frame = {.lang = row->lang, .function = row->function};
    if (row->part == PART_FILE) {
        frame.file = row->example;
    } else if (row->part == PART_SCRIPT) {
        frame.file = "src/server.ts";
        frame.generated_file = row->example;
    } else if (row->part == PART_FUNCTION)
        frame.function = row->example;
    else
        frame.module = row->example;
    if (row->lang == LH_LANG_NATIVE && frame.module == NULL)
        frame.module = "/srv/shop/server";
    return frame;
}

static void test_each_row_of_the_table_has_its_example(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        const struct lh_frame frame = example_of(&rows[i]);
        if (lh_frame_kind_of(&frame) != rows[i].kind)
            fail_msg("%s is of kind %d and not %d", rows[i].example, lh_frame_kind_of(&frame),
                     rows[i].kind);
    }
}

static void test_qualified_name_is_without_types_and_parameters(void **state)
{
    static const struct {
        const char *function;
        const char *name;
    } names[] = {
        {"main", "main"},
        {"two::main::{{closure}}", "two::main::{{closure}}"},
        {"on_timer(uv_timer_s*)", "on_timer"},
        {"Shop::Cart::total(int, char const*) const", "Shop::Cart::total"},
        {"void std::this_thread::sleep_for<long, std::ratio<1l, 1000l> >(int const&)",
         "std::this_thread::sleep_for<long, std::ratio<1l, 1000l> >"},
        {"std::vector<int>::operator[](unsigned long)", "std::vector<int>::operator[]"},
        {"bool std::operator< <char>(int, int)", "std::operator< <char>"},
        {"operator new(unsigned long)", "operator new"},
        {"(anonymous namespace)::work(int)", "(anonymous namespace)::work"},
        {"main::{lambda()#1}::operator()() const", "main::{lambda()#1}::operator()"},
        {"decltype(auto) std::__visit<int>(int)", "std::__visit<int>"},
        {"<tokio::time::Sleep as core::future::Future>::poll",
         "tokio::time::Sleep as core::future::Future>::poll"},
        {"<&mut dyn two::Shop as core::fmt::Debug>::fmt", "two::Shop as core::fmt::Debug>::fmt"},
        {"java.lang.String com.shop.App.handle(int, java.lang.String)", "com.shop.App.handle"},
        {"a(", "a"},
        {"", ""},
        {"((((", "(((("},
        {">>>> >)", ">)"},
    };
    char name[LH_QUALIFIED_BYTES];
    (void)state;
    for (uint32_t i = 0; i < COUNT(names); i++) {
        lh_qualified_name(names[i].function, name);
        assert_string_equal(name, names[i].name);
    }
}

static void test_long_name_is_cut(void **state)
{
    char name[LH_QUALIFIED_BYTES];
    char longer[4 * LH_QUALIFIED_BYTES];
    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    lh_qualified_name(longer, name);
    assert_int_equal(strlen(name), LH_QUALIFIED_BYTES - 1);
}

static void test_place_is_the_innermost_line_of_the_user(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE_FRAME("clock_nanosleep", "/lib/libc.so.6"),
        PYTHON_FRAME("get", "/opt/v/lib/python3.12/site-packages/requests/api.py"),
        PYTHON_FRAME("price", "/srv/shop/price.py"),
        PYTHON_FRAME("main", "/srv/shop/app.py"),
    };
    (void)state;
    assert_int_equal(lh_place_of(frames, COUNT(frames)), 2);
    assert_int_equal(lh_first_of_user(frames, COUNT(frames)), 2);
}

/* A handler that only returns data: what takes long is in the framework. */
static void test_script_that_starts_a_tool_is_nobodys_mistake(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE_FRAME("_PyEval_EvalFrameDefault", "/usr/bin/python3.12"),
        PYTHON_FRAME("jsonable_encoder", "/opt/v/lib/python3.12/site-packages/fastapi/encoders.py"),
        PYTHON_FRAME("app", "/opt/v/lib/python3.12/site-packages/fastapi/routing.py"),
        PYTHON_FRAME("<module>", "/opt/v/bin/uvicorn"),
        NATIVE_FRAME("_start", "/usr/bin/python3.12"),
    };
    (void)state;
    assert_int_equal(lh_first_of_user(frames, COUNT(frames)), COUNT(frames));
    assert_int_equal(lh_place_of(frames, COUNT(frames)), 1);
}

static void test_frozen_modules_are_the_place_last_of_all_python(void **state)
{
    const struct lh_frame frames[] = {
        PYTHON_FRAME("get_data", "<frozen importlib._bootstrap_external>"),
        PYTHON_FRAME("<module>", "/opt/v/lib/python3.12/site-packages/numpy/__init__.py"),
    };
    (void)state;
    assert_int_equal(lh_place_of(frames, 2), 1);
    assert_int_equal(lh_place_of(frames, 1), 0);
}

static void test_string_is_the_users_where_it_is_the_program(void **state)
{
    const struct lh_frame program[] = {
        PYTHON_FRAME("handler", "<string>"),
        PYTHON_FRAME("_run", "/usr/lib/python3.12/asyncio/events.py"),
        PYTHON_FRAME("<module>", "<string>"),
        NATIVE_FRAME("_start", "/usr/bin/python3.12"),
    };
    const struct lh_frame made[] = {
        PYTHON_FRAME("__init__", "<string>"),
        PYTHON_FRAME("handler", "/srv/shop/app.py"),
    };
    (void)state;
    assert_int_equal(lh_first_of_user(program, COUNT(program)), 0);
    assert_int_equal(lh_first_of_user(made, COUNT(made)), 1);
}

static void test_machine_code_is_told_from_its_libraries_by_name_alone(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE_FRAME("std::thread::functions::sleep", "/srv/shop/two"),
        NATIVE_FRAME("two::send_mail", "/srv/shop/two"),
        NATIVE_FRAME("tokio::runtime::park::CachedParkThread::block_on", "/srv/shop/two"),
        NATIVE_FRAME("two::main", "/srv/shop/two"),
    };
    (void)state;
    assert_int_equal(lh_first_of_user(frames, COUNT(frames)), 1);
}

static void test_program_of_the_system_has_its_innermost_own_function_as_place(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE_FRAME(NULL, "/usr/bin/redis-server"),
        NATIVE_FRAME("debugCommand", "/usr/bin/redis-server"),
        NATIVE_FRAME("aeMain", "/usr/bin/redis-server"),
    };
    (void)state;
    assert_int_equal(lh_first_of_user(frames, COUNT(frames)), COUNT(frames));
    assert_int_equal(lh_place_of(frames, COUNT(frames)), 1);
    assert_int_equal(lh_place_of(frames, 1), 0);
    assert_int_equal(lh_place_of(frames, 0), 0);
}

static void test_project_says_what_is_the_users_and_nothing_else_is(void **state)
{
    struct lh_frame frames[] = {
        PYTHON_FRAME("get", "/opt/v/lib/python3.12/site-packages/ours/client.py"),
        PYTHON_FRAME("patch", "/srv/vendored/patch.py"),
        PYTHON_FRAME("handler", "/srv/shop/app/views.py"),
        NATIVE_FRAME("shop::work", "/usr/bin/server"),
        JIT_FRAME("com.shop.App.handle", NULL),
        NATIVE_FRAME("other", "/srv/other"),
    };
    static const enum lh_frame_kind kinds[] = {LH_FRAME_USER, LH_FRAME_LIBRARY,
                                               LH_FRAME_USER, LH_FRAME_OWN_NATIVE,
                                               LH_FRAME_USER, LH_FRAME_LIBRARY};
    (void)state;
    lh_frames_class(frames, COUNT(frames), "site-packages/ours/*,app/*,shop::*,com.shop.*");
    for (uint32_t i = 0; i < COUNT(frames); i++)
        assert_int_equal(lh_frame_kind_of(&frames[i]), kinds[i]);
    lh_frames_class(frames, COUNT(frames), ""); /* what is classed stays so */
    assert_int_equal(lh_frame_kind_of(&frames[0]), LH_FRAME_USER);
    for (uint32_t i = 0; i < COUNT(frames); i++)
        frames[i].kind = LH_FRAME_UNKNOWN;
    lh_frames_class(frames, COUNT(frames), "");
    assert_int_equal(lh_frame_kind_of(&frames[0]), LH_FRAME_LIBRARY);
    assert_int_equal(lh_frame_kind_of(&frames[1]), LH_FRAME_USER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_of_the_table_has_its_example),
        cmocka_unit_test(test_qualified_name_is_without_types_and_parameters),
        cmocka_unit_test(test_long_name_is_cut),
        cmocka_unit_test(test_place_is_the_innermost_line_of_the_user),
        cmocka_unit_test(test_script_that_starts_a_tool_is_nobodys_mistake),
        cmocka_unit_test(test_frozen_modules_are_the_place_last_of_all_python),
        cmocka_unit_test(test_string_is_the_users_where_it_is_the_program),
        cmocka_unit_test(test_machine_code_is_told_from_its_libraries_by_name_alone),
        cmocka_unit_test(test_program_of_the_system_has_its_innermost_own_function_as_place),
        cmocka_unit_test(test_project_says_what_is_the_users_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
