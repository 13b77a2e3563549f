/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done about it: every row of src/advice.def, and stacks of real programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/report/advice.h"
#include "collect/sink/text_parts.h"
#include "collect/stack/frame_kind.h"
#include "common/call_ids.h"
#include "common/event_awaited.h"
#include "common/text.h"

#define COUNT(array)   ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define NAME_BYTES     256
#define MS             1000000ULL
#define LINE_COLUMNS   80
#define SITE(name)     "/opt/v/lib/python3.12/site-packages/" name
#define STANDARD(name) "/usr/lib/python3.11/" name
#define DYNLOAD(name)  "/usr/lib/python3.11/lib-dynload/" name

#define PYTHON(name, path)                                                                         \
    {                                                                                              \
        .lang = LH_LANG_PYTHON, .function = (name), .file = (path)                                 \
    }
#define JIT(name, path)                                                                            \
    {                                                                                              \
        .lang = LH_LANG_JIT, .function = (name), .file = (path)                                    \
    }
#define NATIVE(name, path)                                                                         \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = (path)                               \
    }
#define INTERPRETER NATIVE("PyObject_Vectorcall", "/usr/bin/python3.11")
#define TURN        PYTHON("Handle._run", STANDARD("asyncio/events.py"))
#define HANDLER     PYTHON("handler", "/srv/shop/app.py")

enum loop {
#define LOOP(name, names, example) LOOP_##name,
#include "advice.def"
    LOOP_ANY
};

static const char *const loop_examples[] = {
#define LOOP(name, names, example) [LOOP_##name] = example,
#include "advice.def"
};

static const struct row {
    enum lh_lang lang;
    enum loop loop;
    const char *where;
    const char *rule;
    const char *text;
    const char *call;
    const char *example;
} rows[] = {
#define ADVICE(lang, loop, calls, where, names, rule, text, call, example)                         \
    {LH_LANG_##lang, LOOP_##loop, #where, rule, text, call, example},
#include "advice.def"
};

/* A record that is as large as it is, and what belongs to it. */
struct fixture {
    struct lh_record record;
    struct lh_waits_for waits_for;
    struct lh_sample group;
    struct lh_report report;
    struct lh_advice_stacks stacks;
    struct lh_advice advice;
    char room[LH_ADVICE_BYTES];
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void begin(struct fixture *fixture, const struct lh_frame *frames, uint32_t count)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->record.type = LH_EVENT_BLOCK;
    fixture->record.elapsed_ns = 200 * MS;
    fixture->record.resource.fd = -1;
    fixture->report =
        (struct lh_report){.record = &fixture->record, .frames = frames, .frame_count = count};
}

static void set_call(struct fixture *fixture, uint32_t call)
{
    fixture->record.call = call;
    fixture->record.group = lh_call_info(call)->group;
}

static uint32_t call_named(const char *name)
{
    uint32_t call = 0;
    while (call < lh_call_count() && strcmp(lh_call_info(call)->canonical, name) != 0)
        call++;
    return call;
}

static void set_computing(struct fixture *fixture)
{
    fixture->record.type = LH_EVENT_STALL;
    fixture->record.stall.oncpu_ns = fixture->record.elapsed_ns;
    fixture->group = (struct lh_sample){.ns = fixture->record.elapsed_ns,
                                        .frames = fixture->report.frames,
                                        .frame_count = fixture->report.frame_count};
    fixture->report.groups = &fixture->group;
    fixture->report.group_count = 1;
    fixture->report.frame_count = 0;
}

/* "Lock", "own Future". */
static bool set_awaited(struct fixture *fixture, const char *what)
{
    bool own = lh_starts_with(what, "own ");
    for (uint32_t kind = 1; kind < LH_AWAITED_COUNT; kind++) {
        if (strcmp(what + (own ? 4 : 0), lh_awaited_name((enum lh_awaited_kind)kind)) != 0)
            continue;
        set_call(fixture, LH_CALL_sem_wait);
        fixture->waits_for.kind = (enum lh_awaited_kind)kind;
        fixture->waits_for.is_own = own;
        fixture->report.waits_for = &fixture->waits_for;
        return true;
    }
    return false;
}

static void set_what(struct fixture *fixture, const char *what)
{
    if (strcmp(what, "computing") == 0 || strcmp(what, "collecting") == 0) {
        set_computing(fixture);
        if (what[2] == 'l')
            fixture->group.work_ns[LH_WORK_CPYTHON_GARBAGE] = fixture->group.ns;
    } else if (strcmp(what, "stdin") == 0 || strcmp(what, "input") == 0) {
        set_call(fixture, LH_CALL_read);
        fixture->record.resource.kind = LH_RESOURCE_FILE;
        fixture->record.resource.fd = 0;
    } else if (!set_awaited(fixture, what)) {
        uint32_t call = call_named(what);
        if (call == lh_call_count())
            fail_msg("%s is no call", what);
        set_call(fixture, call);
    }
}

static bool find(struct fixture *fixture)
{
    return lh_advice_find(&fixture->report, &fixture->stacks, &fixture->advice, fixture->room);
}

/* From "FILE:FUNCTION"; a file that begins with "node:" or "<frozen " has such a colon itself. */
static struct lh_frame frame_of(enum lh_lang lang, const char *example, char path[NAME_BYTES])
{
    size_t skipped = lh_starts_with(example, "node:") ? strlen("node:") : 0;
    const char *colon = strchr(example + skipped, ':');
    assert_non_null(colon);
    (void)snprintf(path, NAME_BYTES, "%.*s", (int)(colon - example), example);
    struct lh_frame frame = {.lang = lang, .function = colon[1] != '\0' ? colon + 1 : NULL};
    bool is_elf = strstr(path, ".so") != NULL || strstr(path, "/bin/") != NULL ||
                  strstr(path, "/sbin/") != NULL;
    if (lang == LH_LANG_NATIVE || is_elf) {
        frame.lang = LH_LANG_NATIVE;
        frame.module = path;
    } else if (path[0] != '\0') {
        frame.file = path;
    }
    return frame;
}

static struct lh_frame user_frame(enum lh_lang lang)
{
    static const struct lh_frame frames[LH_LANG_COUNT] = {
        [LH_LANG_PYTHON] = HANDLER,
        [LH_LANG_JIT] = JIT("handler", "/srv/shop/app.js"),
        [LH_LANG_NATIVE] = NATIVE("shop::handler", "/srv/shop/server"),
    };
    return frames[lang];
}

/* What was called, the user's line (but where the program has none), and the loop. */
static uint32_t stack_of(const struct row *row, struct lh_frame frames[3],
                         char paths[2][NAME_BYTES])
{
    uint32_t count = 0;
    bool whole_stack = strcmp(row->where, "STACK") == 0;
    if (row->example[0] != '\0')
        frames[count++] = frame_of(row->lang, row->example, paths[0]);
    if (strcmp(row->where, "LIBRARY") == 0) {
        frames[0].library = "library";
        frames[0].version = "1.2";
    }
    if (!whole_stack || row->lang == LH_LANG_PYTHON)
        frames[count++] = user_frame(row->lang);
    if (row->loop != LOOP_ANY) {
        enum lh_lang lang =
            loop_examples[row->loop][0] == '/' && strstr(loop_examples[row->loop], ".py:") != NULL
                ? LH_LANG_PYTHON
                : LH_LANG_NATIVE;
        frames[count++] = frame_of(lang, loop_examples[row->loop], paths[1]);
    }
    return count;
}

static void test_each_row_holds_for_its_example(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        struct lh_frame frames[3];
        char paths[2][NAME_BYTES];
        uint32_t count = stack_of(&rows[i], frames, paths);
        if (strcmp(rows[i].call, "input") == 0)
            frames[0].source = "name = input()";
        begin(fixture, frames, count);
        set_what(fixture, rows[i].call);
        if (!find(fixture))
            fail_msg("none for %s in %s: %s", rows[i].call, rows[i].example, rows[i].text);
        if (strstr(rows[i].text, "{library}") != NULL)
            assert_non_null(strstr(fixture->advice.text, "library 1.2"));
        else if (strcmp(fixture->advice.text, rows[i].text) != 0)
            fail_msg("for %s in %s there is: %s", rows[i].call, rows[i].example,
                     fixture->advice.text);
        if (rows[i].rule != fixture->advice.rule)
            assert_string_equal(fixture->advice.rule, rows[i].rule);
    }
}

static void test_advice_fits_a_line_of_a_terminal(void **state)
{
    static const struct lh_text_style plain = {"", "", "", "", "", 0};
    (void)state;
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        char line[LH_ADVICE_BYTES];
        struct lh_text text;
        lh_text_init(&text, line, sizeof(line));
        lh_text_advice(&text, &plain, &(struct lh_advice){rows[i].rule, rows[i].text});
        if (text.length - 1 > LINE_COLUMNS)
            fail_msg("%zu columns: %s", text.length - 1, line);
    }
}

static void expect(struct fixture *fixture, const char *text, const char *rule)
{
    bool found = find(fixture);
    if (text == NULL) {
        if (found)
            fail_msg("there is: %s", fixture->advice.text);
        return;
    }
    assert_true(found);
    assert_string_equal(fixture->advice.text, text);
    if (rule == NULL)
        assert_null(fixture->advice.rule);
    else
        assert_string_equal(fixture->advice.rule, rule);
}

#define EXPECT(fixture, frames, call, text, rule)                                                  \
    do {                                                                                           \
        begin(fixture, frames, COUNT(frames));                                                     \
        set_call(fixture, LH_CALL_##call);                                                         \
        expect(fixture, text, rule);                                                               \
    } while (0)

static void test_python_that_sleeps_is_told_to_sleep_without_blocking(void **state)
{
    const struct lh_frame frames[] = {NATIVE(NULL, "/usr/bin/python3.11"), INTERPRETER, HANDLER,
                                      TURN};
    EXPECT(*state, frames, clock_nanosleep, "use await asyncio.sleep()", "ASYNC251");
}

static void test_select_is_a_sleep_only_without_descriptors(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_frame frames[] = {INTERPRETER, HANDLER, TURN};
    begin(fixture, frames, COUNT(frames));
    set_call(fixture, LH_CALL_select);
    fixture->record.resource.kind = LH_RESOURCE_DURATION;
    expect(fixture, "use await asyncio.sleep()", "ASYNC251");
    fixture->record.resource.kind = LH_RESOURCE_SOCKET;
    fixture->record.resource.waited_count = 2;
    expect(fixture, NULL, NULL);
}

static void test_module_in_c_is_what_was_called(void **state)
{
    const struct lh_frame frames[] = {
        NATIVE("unixSleep", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"),
        NATIVE(NULL, DYNLOAD("_sqlite3.cpython-311-x86_64-linux-gnu.so")), INTERPRETER, HANDLER,
        TURN};
    EXPECT(*state, frames, usleep, "use aiosqlite, or open and use it in one thread of its own",
           NULL);
}

static void test_wait_for_the_loop_itself_has_its_own_advice(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_frame frames[] = {
        PYTHON("Condition.wait", STANDARD("threading.py")),
        PYTHON("Future.result", STANDARD("concurrent/futures/_base.py")), HANDLER, TURN};
    begin(fixture, frames, COUNT(frames));
    assert_true(set_awaited(fixture, "Future"));
    expect(fixture, "use await asyncio.wrap_future(), or loop.run_in_executor()", NULL);
    fixture->waits_for.is_own = true;
    expect(fixture, "await the coroutine itself: only this loop can run it", NULL);
}

static void test_library_that_is_asynchronous_and_blocks_is_named(void **state)
{
    struct lh_frame frames[] = {
        PYTHON("version", STANDARD("importlib/metadata/__init__.py")),
        PYTHON("get_lib_version", SITE("redis/utils.py")),
        PYTHON("AbstractConnection.on_connect", SITE("redis/asyncio/connection.py")),
        PYTHON("Redis.execute_command", SITE("redis/asyncio/client.py")),
        HANDLER,
        TURN};
    static const char said[] =
        "update or report redis 5.0.1: it blocks here although it is asynchronous";
    for (uint32_t i = 1; i < 4; i++) {
        frames[i].library = "redis";
        frames[i].version = "5.0.1";
    }
    EXPECT(*state, frames, open, said, NULL);
    frames[4] = (struct lh_frame)TURN; /* a task of the library's own */
    EXPECT(*state, frames, open, said, NULL);
    EXPECT(*state, frames, clock_nanosleep, said, NULL);
    frames[1].library = "certifi"; /* called by it */
    EXPECT(*state, frames, open, NULL, NULL);
}

static void test_nothing_is_said_where_nothing_is_known(void **state)
{
    const struct lh_frame unknown[] = {PYTHON("fetch", SITE("some_client/api.py")), HANDLER, TURN};
    const struct lh_frame other_loop[] = {INTERPRETER, HANDLER};
    const struct lh_frame nobodys[] = {INTERPRETER, PYTHON("emit", STANDARD("logging/__init__.py")),
                                       TURN};
    const struct lh_frame imported[] = {INTERPRETER, PYTHON("<module>", "/srv/shop/slow.py"), TURN};
    const struct lh_frame c[] = {NATIVE("handler", "/srv/shop/server")};
    EXPECT(*state, unknown, recv, NULL, NULL);
    EXPECT(*state, other_loop, clock_nanosleep, NULL, NULL);
    EXPECT(*state, nobodys, write, NULL, NULL);
    EXPECT(*state, imported, clock_nanosleep, NULL, NULL);
    EXPECT(*state, c, nanosleep, NULL, NULL);
    begin(*state, NULL, 0);
    expect(*state, NULL, NULL);
}

/* The stack is cut before the loop's own frames. */
static void test_task_tells_that_the_loop_is_asyncio(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_frame frames[] = {INTERPRETER, HANDLER};
    begin(fixture, frames, COUNT(frames));
    set_call(fixture, LH_CALL_clock_nanosleep);
    fixture->record.task.has_name = 1;
    expect(fixture, "use await asyncio.sleep()", "ASYNC251");
}

static void test_stall_is_computing_only_if_it_ran_for_long(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_frame frames[] = {HANDLER, TURN};
    static const char said[] = "use a process: loop.run_in_executor() of a ProcessPoolExecutor";
    begin(fixture, frames, COUNT(frames));
    set_computing(fixture);
    fixture->report.threshold_ns = 50 * MS;
    fixture->record.stall.oncpu_ns = 60 * MS;
    fixture->record.stall.runqueue_ns = 140 * MS;
    expect(fixture, said, NULL);
    fixture->record.stall.oncpu_ns = 40 * MS;
    fixture->record.stall.runqueue_ns = 160 * MS;
    expect(fixture, NULL, NULL);
    fixture->record.stall.oncpu_ns = 60 * MS;
    fixture->record.stall.runqueue_ns = 0;
    fixture->record.stall.gil_ns = 140 * MS;
    expect(fixture, NULL, NULL);
    fixture->record.stall.oncpu_ns = LH_UNKNOWN;
    expect(fixture, NULL, NULL);
}

/* Its time went by in many short calls: the group of these may be the wrong one. */
static void test_stall_of_calls_is_about_the_largest(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_frame frames[] = {PYTHON("Path.exists", STANDARD("pathlib.py")), HANDLER, TURN};
    const struct lh_frame none[] = {INTERPRETER, HANDLER, TURN};
    begin(fixture, frames, COUNT(frames));
    set_computing(fixture);
    fixture->record.stall.oncpu_ns = 10 * MS;
    fixture->record.stall.blocked_ns = 190 * MS;
    fixture->record.stall.call_count = 2;
    fixture->record.stall.calls[0] = (struct lh_stall_call){LH_CALL_stat, 9, 20 * MS};
    fixture->record.stall.calls[1] = (struct lh_stall_call){LH_CALL_open, 9, 170 * MS};
    expect(fixture, NULL, NULL);
    fixture->group.frames = none;
    expect(fixture, "use aiofiles, or await asyncio.to_thread()", "ASYNC230");
}

static void test_place_decides_and_not_what_is_further_out(void **state)
{
    const struct lh_frame own[] = {INTERPRETER, HANDLER, PYTHON("get", SITE("requests/api.py")),
                                   HANDLER, TURN};
    EXPECT(*state, own, recv, "use await asyncio.open_connection(), or a thread", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_advice_fits_a_line_of_a_terminal),
        cmocka_unit_test_setup_teardown(test_each_row_holds_for_its_example, setup, teardown),
        cmocka_unit_test_setup_teardown(test_python_that_sleeps_is_told_to_sleep_without_blocking,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_select_is_a_sleep_only_without_descriptors, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_module_in_c_is_what_was_called, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wait_for_the_loop_itself_has_its_own_advice, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_library_that_is_asynchronous_and_blocks_is_named,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_said_where_nothing_is_known, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_task_tells_that_the_loop_is_asyncio, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stall_is_computing_only_if_it_ran_for_long, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_stall_of_calls_is_about_the_largest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_place_decides_and_not_what_is_further_out, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
