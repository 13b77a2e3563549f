/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks in text reports: columns, short names, and what is folded. */
#include "text_report.h"

/* A server's stack: a driver, the user's handler, frameworks, the user's main, the runner. */
static const struct lh_frame server[] = {
    NATIVE("pysleep", INTERPRETER, 0x10),
    PYTHON("request", SITE("requests/api.py"), 59),
    NATIVE("_PyEval_EvalFrameDefault", "/usr/lib/libpython3.11.so.1.0", 0x20),
    PYTHON("handler", "app.py", 5),
    PYTHON("run", SITE("starlette/routing.py"), 1),
    PYTHON("call", SITE("starlette/routing.py"), 2),
    PYTHON("_run", STANDARD("asyncio/events.py"), 80),
    NATIVE("task_step", STANDARD("lib-dynload/_asyncio.cpython-311-x86_64-linux-gnu.so"), 0x30),
    NATIVE("_PyEval_EvalFrameDefault", INTERPRETER, 0x20),
    PYTHON("run_forever", STANDARD("asyncio/base_events.py"), 600),
    PYTHON("run", STANDARD("asyncio/runners.py"), 10),
    PYTHON("main", SITE("uvicorn/main.py"), 9),
    PYTHON("dispatch", "app.py", 8),
    PYTHON("_run_code", "<frozen runpy>", 88),
    NATIVE("__libc_start_main", "/lib/x86_64-linux-gnu/libc.so.6", 0x40),
    NATIVE("_start", INTERPRETER, 0x50),
};

static void test_library_frames_are_folded_behind_the_users_own(void **state)
{
    block(*state);
    assert_string_equal(reported(*state, server, COUNT(server)), CLOCK_NANO_BLOCK
                        "  requests/api.py:59  request\n"
                        "> app.py:5            handler            time.sleep(0.3)\n"
                        "  ... 7 frames of asyncio, starlette, uvicorn (--stack full shows "
                        "them)\n"
                        "  app.py:8            dispatch           return await handler(request)\n"
                        "  ... 1 frame of runpy\n");
    block(*state)->id = 20;
    ((struct fixture *)*state)->record->time_ns = MINUTE_NS; /* the stack is shown once more */
    const char *text = reported(*state, server, COUNT(server));
    assert_non_null(strstr(text, "7 frames of asyncio"));
    assert_null(strstr(text, "--stack full"));
}

static void test_full_stack_folds_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->header->options.stack_full = 1;
    block(fixture);
    const char *text = reported(fixture, server, COUNT(server));
    uint32_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 1 + COUNT(server));
    assert_null(strstr(text, "..."));
    assert_non_null(strstr(text, "_PyEval_EvalFrameDefault  libpython3.11.so.1.0\n"));
}

static void test_stack_without_python_is_shown_whole(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE("debugCommand", "/usr/bin/redis-server", 0x100),
        NATIVE(NULL, "/usr/bin/redis-server", 0x1f2e),
        NATIVE("__libc_start_main", "/lib/x86_64-linux-gnu/libc.so.6", 0x40)};
    block(*state);
    assert_string_equal(reported(*state, frames, COUNT(frames)),
                        CLOCK_NANO_BLOCK "> debugCommand       redis-server\n"
                                         "  redis-server+0x1f2e\n"
                                         "  __libc_start_main  libc.so.6\n");
}

static void test_note_stands_before_the_stack_in_lines_of_a_terminal(void **state)
{
    const struct lh_frame frame = NATIVE("node::fs::Read", "/usr/bin/node", 0x10);
    struct fixture *fixture = *state;
    struct lh_report report = {
        .record = block(fixture),
        .frames = &frame,
        .frame_count = 1,
        .note = "a note of so many words that it takes two lines of a terminal, whose usual width"
                " is eighty columns"};
    open_sink(fixture);
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    assert_string_equal(written(fixture), CLOCK_NANO_BLOCK
                        "  a note of so many words that it takes two lines of a terminal, whose "
                        "usual\n"
                        "  width is eighty columns\n"
                        "> node::fs::Read     node\n");
}

static void test_frames_without_names_are_folded(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE("JVM_Sleep", "/usr/lib/jvm/lib/server/libjvm.so", 0x10),
        {.lang = LH_LANG_JIT},
        {.lang = LH_LANG_JIT},
        {.lang = LH_LANG_JIT},
        NATIVE("JavaMain", "/usr/lib/jvm/lib/libjli.so", 0x20),
        NATIVE(NULL, "/usr/bin/java", 0x30),
    };
    block(*state);
    const char *text = reported(*state, frames, COUNT(frames));
    assert_non_null(strstr(text, "  ... 3 frames without names (--stack full shows them)\n"));
    assert_non_null(strstr(text, "  java+0x30\n"));
}

static void test_cut_by_number_says_which_option_gives_more(void **state)
{
    struct fixture *fixture = *state;
    struct lh_frame frame = NATIVE("deep", "/usr/bin/server", 0x10);
    frame.cut = LH_CUT_FRAMES;
    fixture->header->options.stack_frames = 10;
    block(fixture);
    const char *text = reported(fixture, &frame, 1);
    assert_non_null(strstr(text, "  ... frames further out are cut (LOOPHOUND_STACK=10)\n"));
    fixture->header->options.stack_frames = LH_STACK_FRAMES_MAX;
    block(fixture)->id = 20;
    fixture->record->time_ns = MINUTE_NS;
    text = reported(fixture, &frame, 1);
    assert_non_null(strstr(text, "(LOOPHOUND_STACK=256, the most)\n"));
    frame.cut = LH_CUT_INTERPRETER;
    block(fixture)->id = 21;
    fixture->record->time_ns = 2 * MINUTE_NS;
    text = reported(fixture, &frame, 1);
    assert_non_null(strstr(text, "  ... the interpreter's own frames are left out ("));
}

static void test_import_is_folded_inside_of_the_users_line(void **state)
{
    const struct lh_frame frames[] = {
        PYTHON("<module>", SITE("numpy/__init__.py"), 3),
        PYTHON("_call_with_frames_removed", "<frozen importlib._bootstrap>", 241),
        PYTHON("exec_module", "<frozen importlib._bootstrap_external>", 940),
        PYTHON("import_module", STANDARD("nowhere/__init__.py"), 126),
        PYTHON("handler", "app.py", 5),
    };
    block(*state);
    assert_string_equal(reported(*state, frames, COUNT(frames)), CLOCK_NANO_BLOCK
                        "  numpy/__init__.py:3      <module>\n"
                        "  ... 2 frames of importlib (--stack full shows them)\n"
                        "  nowhere/__init__.py:126  import_module\n"
                        "> app.py:5                 handler            time.sleep(0.3)\n");
}

static void test_last_frame_says_where_the_copy_of_the_stack_ended(void **state)
{
    struct fixture *fixture = *state;
    struct lh_frame frame = NATIVE("deep", "/usr/bin/server", 0x10);
    frame.cut = LH_CUT_BYTES;
    fixture->header->options.stack_bytes = 4096;
    block(fixture);
    assert_string_equal(reported(fixture, &frame, 1), CLOCK_NANO_BLOCK
                        "> deep               server\n"
                        "  ... the copy of the stack ends here (LOOPHOUND_STACK_BYTES=4096)\n");
}

static void test_native_frame_with_a_line_shows_it(void **state)
{
    struct lh_frame frames[] = {NATIVE("on_timer", "/srv/server", 0x100),
                                NATIVE("uv_run", "/usr/lib/libuv.so.1", 0x200)};
    frames[0].file = "/srv/src/server.c";
    frames[0].line = 12;
    block(*state);
    assert_string_equal(reported(*state, frames, COUNT(frames)),
                        CLOCK_NANO_BLOCK "> /srv/src/server.c:12  on_timer           server\n"
                                         "                        uv_run             libuv.so.1\n");
}

static void test_largest_stack_is_cut_in_its_columns_and_keeps_its_lines(void **state)
{
    struct fixture *fixture = *state;
    static struct lh_frame frames[LH_STACK_FRAMES_MAX];
    static char name[8192];
    memset(name, 'f', sizeof(name) - 1);
    for (uint32_t i = 0; i < LH_STACK_FRAMES_MAX; i++)
        frames[i] = (struct lh_frame)PYTHON(name, name, i);
    block(fixture);
    unsigned lines = 0;
    const char *text = reported(fixture, frames, COUNT(frames));
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 1 + COUNT(frames));
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_file_below_the_working_directory_is_shown_relative_to_it(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/app.py", fixture->directory);
    const struct lh_frame frames[] = {PYTHON("handler", path, 5)};
    block(fixture);
    assert_string_equal(reported(fixture, frames, 1),
                        CLOCK_NANO_BLOCK "> app.py:5  handler            time.sleep(0.3)\n");
}

static void test_line_that_cannot_be_read_leaves_no_trailing_space(void **state)
{
    const struct lh_frame frames[] = {
        PYTHON("f", "<string>", 1), PYTHON("g", "gone.py", 3), PYTHON("h", "app.py", 99),
        PYTHON("i", "/home/somebody/with/a/very/long/path/to/the/project/pkg/mod.py", 7)};
    block(*state);
    assert_string_equal(reported(*state, frames, COUNT(frames)),
                        CLOCK_NANO_BLOCK "  <string>:1        f\n"
                                         "> gone.py:3         g\n"
                                         "  app.py:99         h\n"
                                         "  .../pkg/mod.py:7  i\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_library_frames_are_folded_behind_the_users_own),
        TEST(test_full_stack_folds_nothing),
        TEST(test_stack_without_python_is_shown_whole),
        TEST(test_note_stands_before_the_stack_in_lines_of_a_terminal),
        TEST(test_frames_without_names_are_folded),
        TEST(test_cut_by_number_says_which_option_gives_more),
        TEST(test_import_is_folded_inside_of_the_users_line),
        TEST(test_last_frame_says_where_the_copy_of_the_stack_ended),
        TEST(test_native_frame_with_a_line_shows_it),
        TEST(test_largest_stack_is_cut_in_its_columns_and_keeps_its_lines),
        TEST(test_file_below_the_working_directory_is_shown_relative_to_it),
        TEST(test_line_that_cannot_be_read_leaves_no_trailing_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
