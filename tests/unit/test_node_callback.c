/* SPDX-License-Identifier: Apache-2.0 */
/* What Node.js has called a function for, from its frames. */
#include "collect/stack/node_callback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define JIT(name, path)                                                                            \
    {                                                                                              \
        .lang = LH_LANG_JIT, .function = (name), .file = (path)                                    \
    }
#define NATIVE(name)                                                                               \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = "/usr/bin/node"                      \
    }
#define TICKS "node:internal/process/task_queues"

static const char *callback;

static void test_each_row_of_the_table_is_known_by_its_example(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        enum lh_lang lang;
        const char *where; /* its first glob has no star, or one at its end */
        const char *example;
    } rows[] = {
#define NODE_CALLBACK(kind, lang, where, functions, example, doc)                                  \
    {kind, LH_LANG_##lang, where, example},
#include "node_callbacks.def"
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char where[128] = "";
        size_t length = 0;
        while (rows[i].where[length] != '\0' && rows[i].where[length] != ',' &&
               rows[i].where[length] != '*') {
            where[length] = rows[i].where[length];
            length++;
        }
        struct lh_frame frames[] = {JIT("price", "/srv/shop.js"),
                                    {.lang = rows[i].lang, .function = rows[i].example}};
        if (rows[i].lang == LH_LANG_NATIVE)
            frames[1].module = where;
        else
            frames[1].file = length > 0 ? where : NULL;
        const char *kind = lh_node_callback_of(frames, COUNT(frames), &callback);
        assert_non_null(kind);
        assert_string_equal(kind, rows[i].kind);
        assert_string_equal(callback, "price");
    }
}

static void test_callback_is_the_outermost_function_that_is_not_nodes_own(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {NATIVE("v8::internal::Runtime_DateCurrentTime"),
                                      JIT("price", "/srv/shop.js"),
                                      JIT("refresh", "/srv/shop.js"),
                                      JIT("emit", "node:events"),
                                      JIT("listOnTimeout", "node:internal/timers"),
                                      JIT("processTimers", "node:internal/timers"),
                                      NATIVE("uv_run")};
    assert_string_equal(lh_node_callback_of(frames, COUNT(frames), &callback), "timer");
    assert_string_equal(callback, "refresh");
}

static void test_promise_job_between_ticks_and_timers_is_one(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {JIT("(anonymous)", "/srv/shop.js"),
                                      NATIVE("Builtins_RunMicrotasks"), JIT("runMicrotasks", NULL),
                                      JIT("processTicksAndRejections", TICKS),
                                      JIT("listOnTimeout", "node:internal/timers")};
    assert_string_equal(lh_node_callback_of(frames, COUNT(frames), &callback), "promise job");
    assert_null(callback); /* it has no name */
}

static void test_main_script_and_nodes_own_work_are_called_back_for_nothing(void **state)
{
    (void)state;
    const struct lh_frame main_script[] = {JIT("(anonymous)", "/srv/shop.js"),
                                           JIT("Module._compile", "node:internal/modules/cjs"),
                                           NATIVE("node::LoadEnvironment")};
    const struct lh_frame own[] = {JIT("emit", "node:events"),
                                   JIT("processTimers", "node:internal/timers")};
    const struct lh_frame of_user[] = {JIT("price", "/srv/shop.js"),
                                       JIT("processTimers", "/srv/timers.js")};
    assert_null(lh_node_callback_of(main_script, COUNT(main_script), &callback));
    assert_null(lh_node_callback_of(own, COUNT(own), &callback));
    assert_null(lh_node_callback_of(of_user, COUNT(of_user), &callback));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_of_the_table_is_known_by_its_example),
        cmocka_unit_test(test_callback_is_the_outermost_function_that_is_not_nodes_own),
        cmocka_unit_test(test_promise_job_between_ticks_and_timers_is_one),
        cmocka_unit_test(test_main_script_and_nodes_own_work_are_called_back_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
