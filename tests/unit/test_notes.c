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
#include "collect/stack/runtimes.h"

static const struct runtime {
    const char *modules;
    const char *function;
    const char *sentence;
} runtimes[] = {
#define RUNTIME(name, modules, version, function, sentence) {modules, function, sentence},
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

static void test_version_stands_in_the_path_of_a_runtimes_file(void **state)
{
    static const struct {
        const char *name;
        const char *path;
        const char *version; /* NULL: it has none */
    } rows[] = {
        {"Java", "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so", "17"},
        {"Java", "/opt/jdk-21.0.2/lib/server/libjvm.so", "21.0.2"},
        {"Java", "/opt/java/lib/server/libjvm.so", NULL},
        {"Node.js", "/root/.nvm/versions/node/v18.20.4/bin/node", "18.20.4"},
        {"Node.js", "/usr/bin/node", NULL},
        {"Node.js", "/usr/lib/x86_64-linux-gnu/libnode.so.108", NULL},
        {"Perl", "/usr/lib/x86_64-linux-gnu/libperl.so.5.36.0", "5.36.0"},
        {"Ruby", "/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2", "3.1.2"},
        {"PHP", "/srv/php7/bin/php8.2", "8.2"},
        {"Lua", "/usr/lib/x86_64-linux-gnu/liblua5.3.so.0.0.0", "5.3"},
        {".NET", "/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/libcoreclr.so", "8.0.1"},
        {"Ruby", "/opt/ruby-3.3333333333333333.0/bin/ruby", NULL}, /* does not fit */
        {"Deno", "/opt/deno-2.1/deno", NULL},
    };
    char version[16];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t runtime = 0;
        while (strcmp(lh_runtimes[runtime].name, rows[i].name) != 0)
            runtime++;
        bool found =
            lh_runtime_version(&lh_runtimes[runtime], rows[i].path, version, sizeof(version));
        assert_int_equal(found, rows[i].version != NULL);
        if (found)
            assert_string_equal(version, rows[i].version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_stands_in_the_path_of_a_runtimes_file),
        cmocka_unit_test(test_each_runtime_has_its_sentence_once),
        cmocka_unit_test(test_nothing_is_said_where_functions_have_names),
        cmocka_unit_test(test_nothing_is_said_of_programs_without_a_runtime),
        cmocka_unit_test(test_map_that_is_not_used_is_said_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
