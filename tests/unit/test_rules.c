/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: what is read, what is said of what is none, and what matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "common/rules.h"
#include "common/units.h"

static struct lh_rule rule;
static struct lh_rule_problem problem;

static int read_one(const char *text)
{
    struct lh_rule_reader reader;
    lh_rule_reader_init(&reader, text, strlen(text), "rules.txt", false);
    return lh_rule_read(&reader, &rule, &problem);
}

static void assert_span(struct lh_span span, const char *text)
{
    assert_int_equal(span.length, strlen(text));
    assert_memory_equal(span.text, text, span.length);
}

/* The line about a text that is no rule. */
static void assert_problem(const char *text, const char *line)
{
    char buf[512];
    struct lh_text said;
    assert_int_equal(read_one(text), -EINVAL);
    lh_text_init(&said, buf, sizeof(buf));
    lh_rule_problem_text(&said, "rules.txt", &problem, "nothing started");
    assert_string_equal(buf, line);
}

static void test_rule_has_its_conditions_and_its_reason(void **state)
{
    (void)state;
    assert_int_equal(read_one("  call:flock\tin:app/x.py:load # nobody else # at all \n"), 1);
    assert_false(rule.always);
    assert_int_equal(rule.part_count, 2);
    assert_int_equal(rule.parts[0].condition, LH_CONDITION_call);
    assert_span(rule.parts[0].glob, "flock");
    assert_int_equal(rule.parts[1].condition, LH_CONDITION_in);
    assert_span(rule.parts[1].glob, "app/x.py");
    assert_span(rule.parts[1].function, "load");
    assert_span(rule.text, "call:flock\tin:app/x.py:load");
    assert_span(rule.reason, "nobody else # at all");
}

static void test_exclamation_mark_means_always(void **state)
{
    (void)state;
    assert_int_equal(read_one("! at:app/*"), 1);
    assert_true(rule.always);
    assert_int_equal(read_one("!at:app/* call:open"), 1);
    assert_true(rule.always);
    assert_int_equal(rule.part_count, 2);
}

static void test_values_with_blanks_stand_in_quotes(void **state)
{
    (void)state;
    assert_int_equal(read_one("thread:\"Thread Pool #1\" call:open"), 1);
    assert_span(rule.parts[0].glob, "Thread Pool #1");
    assert_int_equal(read_one("in:'my \"own\" file.py:f g'"), 1);
    assert_span(rule.parts[0].glob, "my \"own\" file.py");
    assert_span(rule.parts[0].function, "f g");
}

static void test_frozen_module_needs_no_quotes(void **state)
{
    (void)state;
    assert_int_equal(read_one("in:<frozen importlib._bootstrap>:_find call:open"), 1);
    assert_span(rule.parts[0].glob, "<frozen importlib._bootstrap>");
    assert_span(rule.parts[0].function, "_find");
    assert_int_equal(rule.part_count, 2);
}

static void test_colons_of_a_function_are_its_own(void **state)
{
    (void)state;
    assert_int_equal(read_one("at:shop.cc:shop::Cart::total"), 1);
    assert_span(rule.parts[0].function, "shop::Cart::total");
    assert_int_equal(read_one("native:libfoo.so*!bar_*"), 1);
    assert_span(rule.parts[0].glob, "libfoo.so*");
    assert_span(rule.parts[0].function, "bar_*");
}

static void test_lines_are_counted_past_comments(void **state)
{
    (void)state;
    static const char text[] = "# mine\n\r\n  \ncall:open\r\n   # more\ncall:read";
    struct lh_rule_reader reader;
    lh_rule_reader_init(&reader, text, strlen(text), "rules.txt", false);
    assert_int_equal(lh_rule_read(&reader, &rule, &problem), 1);
    assert_int_equal(rule.line, 4);
    assert_span(rule.text, "call:open");
    assert_int_equal(lh_rule_read(&reader, &rule, &problem), 1);
    assert_int_equal(rule.line, 6);
    assert_int_equal(lh_rule_read(&reader, &rule, &problem), 0);
}

static void test_semicolons_end_rules_of_a_variable_but_not_in_quotes(void **state)
{
    (void)state;
    static const char text[] = "thread:'a;b' # it's so; call:open;; call:read\ncall:write";
    static const char *const found[] = {"thread:'a;b'", "call:open", "call:read", "call:write"};
    struct lh_rule_reader reader;
    lh_rule_reader_init(&reader, text, strlen(text), "LOOPHOUND_ALLOW", true);
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        assert_int_equal(lh_rule_read(&reader, &rule, &problem), 1);
        assert_span(rule.text, found[i]);
    }
    assert_int_equal(rule.line, 2);
    assert_int_equal(lh_rule_read(&reader, &rule, &problem), 0);
}

static void test_bad_rule_is_told_with_its_place_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *line;
    } bad[] = {
        {"# first\n  getcwd", "rules.txt:2:3: \"getcwd\": expected a condition such as call:flock "
                              "or at:app/views.py; nothing started\n"},
        {"call:open clal:x",
         "rules.txt:1:11: \"clal:x\": expected one of call: group: type: at: in: place: native: "
         "path: peer: host: fd: thread: task: test: phase: under: noise: as docs/rules.md has "
         "them; nothing started\n"},
        {"call: open", "rules.txt:1:1: \"call:\": expected a value behind the colon; nothing "
                       "started\n"},
        {"call:\"\"", "rules.txt:1:1: \"call:\"\"\": expected a value behind the colon; nothing "
                      "started\n"},
        {"!", "rules.txt:1:2: \"\": expected a condition such as call:flock or at:app/views.py; "
              "nothing started\n"},
        {"thread:\"a b", "rules.txt:1:8: \"\"a b\": expected the quote that ends the value; "
                         "nothing started\n"},
        {"thread:\"a\"b", "rules.txt:1:11: \"b\": expected a blank behind the quote that ends the "
                          "value; nothing started\n"},
        {"group:disk", "rules.txt:1:1: \"group:disk\": expected sleep, network, dns, file, lock, "
                       "process, wait or other; nothing started\n"},
        {"type:blocks",
         "rules.txt:1:1: \"type:blocks\": expected block or stall; nothing started\n"},
        {"fd:door", "rules.txt:1:1: \"fd:door\": expected socket, pipe, tty, device, file or anon; "
                    "nothing started\n"},
        {"under:soon", "rules.txt:1:1: \"under:soon\": expected a duration such as 5ms, 2s or "
                       "500us, of an hour at most; nothing started\n"},
        {"under:2h", "rules.txt:1:1: \"under:2h\": expected a duration such as 5ms, 2s or 500us, "
                     "of an hour at most; nothing started\n"},
        {"at::f", "rules.txt:1:1: \"at::f\": expected FILE or FILE:FUNCTION; nothing started\n"},
        {"in:x.py:", "rules.txt:1:1: \"in:x.py:\": expected FILE or FILE:FUNCTION; nothing "
                     "started\n"},
        {"native:!f", "rules.txt:1:1: \"native:!f\": expected MODULE or MODULE!FUNCTION; nothing "
                      "started\n"},
        {"call:a call:b call:c call:d call:e call:f call:g call:h call:i",
         "rules.txt:1:57: \"call:i\": expected at most 8 conditions in a rule; nothing started\n"},
        {"task:\xc3\xa9\xc3\xa9 x\x01", "rules.txt:1:10: \"?\": expected text without control "
                                        "characters; nothing started\n"},
        {"<<<<<<< HEAD", "rules.txt:1:1: \"<<<<<<<\": expected a condition such as call:flock or "
                         "at:app/views.py; nothing started\n"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[512];
        (void)snprintf(line, sizeof(line), "loophound: %s", bad[i].line);
        assert_problem(bad[i].text, line);
    }
}

static void test_what_is_shown_of_a_bad_rule_is_short_and_harmless(void **state)
{
    char text[300];
    char buf[256];
    struct lh_text said;
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(read_one(text), -EINVAL);
    lh_text_init(&said, buf, sizeof(buf));
    lh_rule_problem_text(&said, "r", &problem, "nothing started");
    assert_non_null(strstr(buf, "xxx...\": expected a condition"));
    lh_text_init(&said, buf, 20);
    lh_rule_problem_text(&said, "r", &problem, "nothing started");
    assert_int_equal(said.length, 19);
    assert_int_equal(buf[18], '\n');
}

static void test_rule_behind_a_bad_one_can_be_read(void **state)
{
    (void)state;
    static const char text[] = "bad\ncall:open\n";
    struct lh_rule_reader reader;
    lh_rule_reader_init(&reader, text, strlen(text), "rules.txt", false);
    assert_int_equal(lh_rule_read(&reader, &rule, &problem), -EINVAL);
    assert_int_equal(lh_rule_read(&reader, &rule, &problem), 1);
    assert_int_equal(rule.line, 2);
}

static void test_every_example_of_the_table_is_a_rule(void **state)
{
    (void)state;
    static const char *const examples[] = {
#define CONDITION(name, value, takes, example, doc) #name ":" example,
#include "conditions.def"
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        assert_int_equal(read_one(examples[i]), 1);
        assert_int_equal(rule.parts[0].condition, i);
    }
}

/* A handler of ours that calls requests, which calls a module of the standard library. */
static const struct lh_frame frames[] = {
    {.lang = LH_LANG_NATIVE,
     .function = "foo::Bar::wait(int, char const*)",
     .file = "src/bar.cc",
     .directory = "/build/foo",
     .module = "/usr/lib/libfoo.so.1"},
    {.lang = LH_LANG_PYTHON,
     .function = "create_connection",
     .file = "/usr/lib/python3.11/socket.py"},
    {.lang = LH_LANG_PYTHON,
     .function = "Session.get",
     .file = "/venv/lib/python3.11/site-packages/requests/sessions.py"},
    {.lang = LH_LANG_PYTHON, .function = "App.load", .file = "/srv/shop/app/views.py"},
    {.lang = LH_LANG_PYTHON, .function = "_run", .file = "<frozen importlib._bootstrap>"},
    {.lang = LH_LANG_NATIVE, .module = "/opt/engine"},
};

static struct lh_rule_facts facts = {.call = "connect",
                                     .symbol = "connect",
                                     .group = "network",
                                     .type = "block",
                                     .path = "/proc/self/status",
                                     .peer = "127.0.0.1:5432",
                                     .host = "db.local",
                                     .fd = "socket",
                                     .thread = "grpc-1",
                                     .task = "Task-7",
                                     .coroutine = "warm_up",
                                     .callback = "tick",
                                     .test = "tests/test_slow.py::test_it[a b]",
                                     .phase = "setup",
                                     .noise = "import",
                                     .frames = frames,
                                     .frame_count = sizeof(frames) / sizeof(frames[0]),
                                     .at = 2,
                                     .place = 3,
                                     .duration_ns = 4 * LH_NS_PER_MS,
                                     .main_thread = true};

static bool holds(const char *text)
{
    assert_int_equal(read_one(text), 1);
    return lh_rule_matches(&rule, &facts);
}

static void test_each_condition_holds_where_it_should(void **state)
{
    (void)state;
    static const char *const good[] = {
        "call:connect",
        "call:conn*",
        "group:network",
        "type:block",
        "path:/proc/*",
        "peer:127.0.0.1:*",
        "host:*.local",
        "fd:socket",
        "thread:grpc*",
        "thread:MainThread",
        "task:Task-7",
        "task:warm_up",
        "task:tick",
        "test:'tests/test_slow.py::*[a b]'",
        "phase:setup",
        "under:5ms",
        "noise:import",
        "at:requests/sessions.py",
        "at:sessions.py:get",
        "at:site-packages/requests/*:Session.get",
        "at:/venv/*",
        "place:views.py:load",
        "place:app/*",
        "in:socket.py:create_connection",
        "in:views.py:App.load",
        "in:<frozen importlib._bootstrap>",
        "in:bar.cc:foo::Bar::wait",
        "in:bar.cc:wait",
        "in:/build/foo/src/bar.cc",
        "in:opt/engine",
        "native:libfoo.so*!foo::*",
        "native:libfoo.so.1!wait",
        "native:engine",
        "native:/usr/lib/*",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!holds(good[i]))
            fail_msg("%s does not hold", good[i]);
}

static void test_each_condition_fails_where_it_should(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "call:conn",
        "call:Connect",
        "group:dns",
        "type:stall",
        "path:/proc",
        "peer:127.0.0.1",
        "host:local",
        "fd:pipe",
        "thread:grpc",
        "task:Task",
        "test:test_it",
        "phase:call",
        "under:4ms",
        "noise:logging",
        "at:views.py",
        "at:essions.py",
        "at:sessions.py:et",
        "at:requests",
        "place:sessions.py",
        "in:views.p",
        "in:app/views.py:Load",
        "in:srv/app/views.py",
        "in:engine:main",
        "native:views.py",
        "native:libfoo.so.1!Bar",
        "native:foo.so.1",
        "native:engine!main",
        "call:connect group:dns",
        "at:sessions.py in:nowhere.py",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (holds(bad[i]))
            fail_msg("%s holds", bad[i]);
}

static void test_nothing_holds_of_what_is_not_known(void **state)
{
    (void)state;
    static const struct lh_rule_facts nothing = {.duration_ns = UINT64_MAX};
    for (int condition = 0; condition < LH_CONDITION_COUNT; condition++) {
        struct lh_rule any = {.part_count = 1,
                              .parts = {{.condition = (enum lh_condition)condition,
                                         .glob = {"*", 1},
                                         .ns = LH_NS_PER_HOUR}}};
        assert_false(lh_rule_matches(&any, &nothing));
    }
}

static void test_rule_may_match_as_far_as_the_facts_go(void **state)
{
    static const struct {
        const char *text;
        bool may;
    } rules[] = {
        {"call:connect", true},        {"call:connect at:app/*", true},
        {"call:open at:app/*", false}, {"group:network native:libfoo.so peer:* under:5ms", true},
        {"group:dns peer:*", false},   {"noise:import", true}};
    static const struct lh_rule_facts some = {
        .call = "connect", .group = "network", .duration_ns = LH_UNKNOWN};
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        assert_int_equal(read_one(rules[i].text), 1);
        if (lh_rule_may_match(&rule, &some) != rules[i].may)
            fail_msg("%s", rules[i].text);
    }
    for (int condition = 0; condition < LH_CONDITION_COUNT; condition++) {
        const struct lh_rule none = {
            .part_count = 1,
            .parts = {{.condition = (enum lh_condition)condition, .glob = {"-", 1}, .ns = 1}}};
        assert_false(lh_rule_may_match(&none, &facts)); /* of which all is known */
    }
}

static void test_standard_library_is_told_from_what_is_installed(void **state)
{
    (void)state;
    assert_true(lh_is_standard_python("/usr/lib/python3.11/json/__init__.py"));
    assert_true(lh_is_standard_python("<frozen os>"));
    assert_true(lh_is_standard_python("/opt/lib64/python3.12/ssl.py"));
    assert_false(lh_is_standard_python("/usr/lib/python3/dist-packages/yaml/__init__.py"));
    assert_false(lh_is_standard_python("/v/lib/python3.11/site-packages/requests/api.py"));
    assert_false(lh_is_standard_python("/srv/app.py"));
    assert_false(lh_is_standard_python("<string>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_has_its_conditions_and_its_reason),
        cmocka_unit_test(test_exclamation_mark_means_always),
        cmocka_unit_test(test_values_with_blanks_stand_in_quotes),
        cmocka_unit_test(test_frozen_module_needs_no_quotes),
        cmocka_unit_test(test_colons_of_a_function_are_its_own),
        cmocka_unit_test(test_lines_are_counted_past_comments),
        cmocka_unit_test(test_semicolons_end_rules_of_a_variable_but_not_in_quotes),
        cmocka_unit_test(test_bad_rule_is_told_with_its_place_and_what_was_expected),
        cmocka_unit_test(test_what_is_shown_of_a_bad_rule_is_short_and_harmless),
        cmocka_unit_test(test_rule_behind_a_bad_one_can_be_read),
        cmocka_unit_test(test_every_example_of_the_table_is_a_rule),
        cmocka_unit_test(test_each_condition_holds_where_it_should),
        cmocka_unit_test(test_each_condition_fails_where_it_should),
        cmocka_unit_test(test_nothing_holds_of_what_is_not_known),
        cmocka_unit_test(test_rule_may_match_as_far_as_the_facts_go),
        cmocka_unit_test(test_standard_library_is_told_from_what_is_installed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
