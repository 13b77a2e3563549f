/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about stacks without names: every row of src/runtimes.def, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "collect/report/notes.h"

static const struct runtime {
    const char *modules;
    const char *function;
    const char *sentence;
} runtimes[] = {
#define RUNTIME(name, modules, function, sentence) {modules, function, sentence},
#include "runtimes.def"
};

#define RUNTIMES (sizeof(runtimes) / sizeof(runtimes[0]))

/* A frame of this runtime: its first glob, which matches itself. */
static struct lh_frame frame_of(const struct runtime *runtime, char module[64])
{
    snprintf(module, 64, "/usr/lib/%.*s", (int)strcspn(runtime->modules, ","), runtime->modules);
    return (struct lh_frame){
        .lang = LH_LANG_NATIVE,
        .module = module,
        .function = runtime->function != NULL ? runtime->function : "work",
    };
}

static void test_each_runtime_has_its_sentence_once(void **state)
{
    struct lh_notes notes = {0};
    char module[64];
    (void)state;
    for (size_t i = 0; i < RUNTIMES; i++) {
        const struct lh_frame frame = frame_of(&runtimes[i], module);
        const char *note = lh_note_about(&notes, &frame, 1, false);
        assert_non_null(note);
        assert_string_equal(note, runtimes[i].sentence);
        assert_null(lh_note_about(&notes, &frame, 1, false));
    }
}

static void test_nothing_is_said_where_functions_have_names(void **state)
{
    struct lh_notes notes = {0};
    char module[64];
    (void)state;
    for (size_t i = 0; i < RUNTIMES; i++) {
        const struct lh_frame frames[] = {
            frame_of(&runtimes[i], module),
            {.lang = LH_LANG_JIT, .function = "handler", .file = "/srv/app.js"},
        };
        assert_null(lh_note_about(&notes, frames, 2, false));
    }
}

static void test_nothing_is_said_of_programs_without_a_runtime(void **state)
{
    struct lh_notes notes = {0};
    const struct lh_frame frame = {
        .lang = LH_LANG_NATIVE, .function = "main", .module = "/srv/server"};
    (void)state;
    assert_null(lh_note_about(&notes, &frame, 1, false));
    assert_null(lh_note_about(&notes, NULL, 0, true));
}

static void test_map_that_is_not_used_is_said_first(void **state)
{
    struct lh_notes notes = {0};
    char module[64];
    const struct lh_frame frame = frame_of(&runtimes[0], module);
    (void)state;
    assert_non_null(strstr(lh_note_about(&notes, &frame, 1, true), "older than this process"));
    assert_string_equal(lh_note_about(&notes, &frame, 1, true), runtimes[0].sentence);
    assert_null(lh_note_about(&notes, &frame, 1, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_runtime_has_its_sentence_once),
        cmocka_unit_test(test_nothing_is_said_where_functions_have_names),
        cmocka_unit_test(test_nothing_is_said_of_programs_without_a_runtime),
        cmocka_unit_test(test_map_that_is_not_used_is_said_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
