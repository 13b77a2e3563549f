/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser: what each value means, and what a bad one leaves behind. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/options.h"

static struct lh_options fresh(void)
{
    struct lh_options options;
    lh_options_init(&options);
    return options;
}

static struct lh_options with(enum lh_option option, const char *value)
{
    const char *expected = NULL;
    struct lh_options options = fresh();
    if (lh_option_set(&options, option, value, &expected) != 0)
        fail_msg("%s=%s was refused: expected %s", lh_option_info(option)->name, value, expected);
    return options;
}

/* Refused, with these words, and nothing of the options has changed. */
static void assert_refused(enum lh_option option, const char *value, const char *words)
{
    const char *expected = NULL;
    struct lh_options options;
    memset(&options, 0x5a, sizeof(options));
    struct lh_options before = options;
    if (lh_option_set(&options, option, value, &expected) != -EINVAL)
        fail_msg("%s=%s was taken", lh_option_info(option)->name, value);
    assert_memory_equal(&options, &before, sizeof(options));
    assert_non_null(strstr(expected, words));
}

static void assert_threshold(const char *value, uint64_t expected_ns)
{
    assert_int_equal(with(LH_OPTION_THRESHOLD, value).threshold_ns, expected_ns);
}

static char *repeated(char c, size_t count)
{
    static char text[4096];
    assert_true(count < sizeof(text));
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static void test_every_default_is_a_value_that_is_taken(void **state)
{
    (void)state;
    for (int option = 0; option < LH_OPTION_COUNT; option++)
        with((enum lh_option)option, lh_option_info((enum lh_option)option)->fallback);
}

static void test_defaults_are_those_of_the_table(void **state)
{
    (void)state;
    struct lh_options options = fresh();
    assert_int_equal(options.threshold_ns, 100000000);
    assert_int_equal(options.strict, 0);
    assert_int_equal(options.loop_mode, LH_LOOP_AUTO);
    assert_int_equal(options.output_kind, LH_OUTPUT_STDERR);
    assert_int_equal(options.format, LH_FORMAT_AUTO);
    assert_int_equal(options.stack_frames, 256);
    assert_int_equal(options.stack_full, 0);
    assert_int_equal(options.rate_reports, 60);
    assert_int_equal(options.rate_window_ns, 60000000000);
    assert_int_equal(options.collector_mode, LH_COLLECTOR_AUTO);
    assert_int_equal(options.follow_mode, LH_FOLLOW_ON);
    assert_string_equal(options.project, "");
    for (uint32_t call = 0; call < lh_call_count(); call++)
        assert_int_equal(options.calls[call], LH_CALL_ON);
}

static void test_names_of_the_table_carry_the_prefix(void **state)
{
    (void)state;
    const struct lh_option_info *info = lh_option_info(LH_OPTION_THRESHOLD);
    assert_string_equal(info->name, "THRESHOLD");
    assert_string_equal(info->env, "LOOPHOUND_THRESHOLD");
    assert_int_equal(info->short_flag, 't');
    assert_string_equal(info->long_flag, "threshold");
    assert_null(lh_option_info(LH_OPTION_COLLECTOR)->long_flag);
    assert_null(lh_option_info(LH_OPTION_STRICT)->argument);
}

static void test_durations_are_read_in_each_unit(void **state)
{
    (void)state;
    assert_threshold("500us", 500000);
    assert_threshold("50ms", 50000000);
    assert_threshold("2s", 2000000000);
    assert_threshold("250", 250000000);
    assert_threshold("0", 0);
    assert_threshold("0s", 0);
}

static void test_durations_may_have_decimals(void **state)
{
    (void)state;
    assert_threshold("1.5s", 1500000000);
    assert_threshold("0.5", 500000);
    assert_threshold("1.25ms", 1250000);
    assert_threshold("0.0015us", 1); /* cut at a nanosecond */
    assert_threshold("1.000000000999999999999s", 1000000000);
}

static void test_a_duration_is_at_most_an_hour(void **state)
{
    (void)state;
    assert_threshold("3600s", 3600000000000);
    assert_threshold("3600000000us", 3600000000000);
    assert_refused(LH_OPTION_THRESHOLD, "3600.1s", "at most an hour");
    assert_refused(LH_OPTION_THRESHOLD, "3601s", "at most an hour");
    assert_refused(LH_OPTION_THRESHOLD, "18446744073709551616us", "at most an hour");
    assert_refused(LH_OPTION_THRESHOLD, repeated('9', 300), "at most an hour");
}

static void test_bad_durations_leave_the_default(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "abc",  "-1",   "+1",  " 1",   "1 ", "1 ms",
                                      "1m",   "1h",   "ms",   ".5s", "1.s",  "1.", "1e3",
                                      "0x10", "1,5s", "1msx", "1S",  "1.5.5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(LH_OPTION_THRESHOLD, bad[i], "a duration such as 100ms, 2s or 500us");
}

static void test_a_switch_knows_the_usual_words(void **state)
{
    (void)state;
    static const char *const on[] = {"on", "1", "true", "yes"};
    static const char *const off[] = {"off", "0", "false", "no"};
    for (int i = 0; i < 4; i++) {
        const char *expected;
        struct lh_options options = with(LH_OPTION_STRICT, on[i]);
        assert_int_equal(options.strict, 1);
        assert_int_equal(lh_option_set(&options, LH_OPTION_STRICT, off[i], &expected), 0);
        assert_int_equal(options.strict, 0);
    }
    assert_refused(LH_OPTION_STRICT, "maybe", "on or off");
    assert_refused(LH_OPTION_STRICT, "", "on or off");
    assert_refused(LH_OPTION_STRICT, "2", "on or off");
}

static void test_an_action_is_a_word_or_a_signal(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_ACTION, "log").action, LH_ACTION_LOG);
    assert_int_equal(with(LH_OPTION_ACTION, "abort").action, LH_ACTION_ABORT);
    assert_int_equal(with(LH_OPTION_ACTION, "signal:USR1").action, LH_ACTION_SIGNAL);
    assert_int_equal(with(LH_OPTION_ACTION, "signal:USR1").action_signal, SIGUSR1);
    assert_int_equal(with(LH_OPTION_ACTION, "signal:SIGTRAP").action_signal, SIGTRAP);
    assert_int_equal(with(LH_OPTION_ACTION, "signal:64").action_signal, 64);
    assert_refused(LH_OPTION_ACTION, "signal:KILL", "signal:USR1");
    assert_refused(LH_OPTION_ACTION, "signal:URG", "signal:USR1");
    assert_refused(LH_OPTION_ACTION, "signal:6", "signal:USR1");
    assert_refused(LH_OPTION_ACTION, "signal:65", "signal:USR1");
    assert_refused(LH_OPTION_ACTION, "USR1", "signal:USR1");
}

static void test_a_loop_is_a_word_or_globs(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_LOOP, "main").loop_mode, LH_LOOP_MAIN);
    assert_int_equal(with(LH_OPTION_LOOP, "none").loop_mode, LH_LOOP_NONE);
    struct lh_options options = with(LH_OPTION_LOOP, "io-*,Main?");
    assert_int_equal(options.loop_mode, LH_LOOP_GLOBS);
    assert_string_equal(options.loop_globs, "io-*,Main?");
    assert_refused(LH_OPTION_LOOP, "", "globs of thread names");
    with(LH_OPTION_LOOP, repeated('x', 255));
    assert_refused(LH_OPTION_LOOP, repeated('x', 256), "globs of thread names");
}

static void test_an_output_is_stderr_a_descriptor_a_socket_or_a_path(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_OUTPUT, "stderr").output_kind, LH_OUTPUT_STDERR);
    struct lh_options options = with(LH_OPTION_OUTPUT, "fd:7");
    assert_int_equal(options.output_kind, LH_OUTPUT_FD);
    assert_int_equal(options.output_fd, 7);
    options = with(LH_OPTION_OUTPUT, "unix:/run/x.sock");
    assert_int_equal(options.output_kind, LH_OUTPUT_UNIX);
    assert_string_equal(options.output, "/run/x.sock");
    options = with(LH_OPTION_OUTPUT, "hits-%p.jsonl");
    assert_int_equal(options.output_kind, LH_OUTPUT_PATH);
    assert_string_equal(options.output, "hits-%p.jsonl");
}

static void test_a_bad_output_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "fd:",           "fd:-1", "fd:x",
                                      "fd:1x", "fd:2147483648", "unix:"};
    char socket[4200]; /* as much as repeated() can give */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(LH_OPTION_OUTPUT, bad[i], "stderr, fd:N, unix:PATH or a path");
    assert_int_equal(with(LH_OPTION_OUTPUT, "fd:2147483647").output_fd, INT32_MAX);
    snprintf(socket, sizeof(socket), "unix:%s", repeated('x', 107));
    with(LH_OPTION_OUTPUT, socket);
    snprintf(socket, sizeof(socket), "unix:%s", repeated('x', 108));
    assert_refused(LH_OPTION_OUTPUT, socket, "unix:PATH");
    with(LH_OPTION_OUTPUT, repeated('x', 1023));
    assert_refused(LH_OPTION_OUTPUT, repeated('x', 1024), "a path");
}

static enum lh_format format_of(const char *output, const char *format)
{
    const char *expected;
    struct lh_options options = with(LH_OPTION_OUTPUT, output);
    assert_int_equal(lh_option_set(&options, LH_OPTION_FORMAT, format, &expected), 0);
    return lh_options_format(&options);
}

static void test_the_format_follows_the_output(void **state)
{
    (void)state;
    assert_int_equal(format_of("x.jsonl", "auto"), LH_FORMAT_JSON);
    assert_int_equal(format_of(".jsonl", "auto"), LH_FORMAT_JSON);
    assert_int_equal(format_of("x.json", "auto"), LH_FORMAT_TEXT);
    assert_int_equal(format_of("jsonl", "auto"), LH_FORMAT_TEXT);
    assert_int_equal(format_of("stderr", "auto"), LH_FORMAT_TEXT);
    assert_int_equal(format_of("x.jsonl", "text"), LH_FORMAT_TEXT);
    assert_int_equal(format_of("stderr", "json"), LH_FORMAT_JSON);
    assert_refused(LH_OPTION_FORMAT, "xml", "auto, text or json");
}

static void test_an_output_left_behind_does_not_decide_the_format(void **state)
{
    (void)state;
    const char *expected;
    struct lh_options options = with(LH_OPTION_OUTPUT, "x.jsonl");
    assert_int_equal(lh_option_set(&options, LH_OPTION_OUTPUT, "stderr", &expected), 0);
    assert_int_equal(lh_options_format(&options), LH_FORMAT_TEXT);
}

static void test_a_stack_has_up_to_256_frames(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_STACK, "0").stack_frames, 0);
    assert_int_equal(with(LH_OPTION_STACK, "256").stack_frames, 256);
    assert_int_equal(with(LH_OPTION_STACK, "256").stack_full, 0);
    struct lh_options options = with(LH_OPTION_STACK, "full");
    assert_int_equal(options.stack_frames, LH_STACK_FRAMES_MAX);
    assert_int_equal(options.stack_full, 1);
    assert_refused(LH_OPTION_STACK, "257", "0 to 256");
    assert_refused(LH_OPTION_STACK, "-1", "0 to 256");
    assert_refused(LH_OPTION_STACK, "12x", "0 to 256");
    assert_refused(LH_OPTION_STACK, "", "0 to 256");
}

static void test_a_rate_is_a_number_per_time_or_off(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_RATE, "5/s").rate_window_ns, 1000000000);
    assert_int_equal(with(LH_OPTION_RATE, "5/s").rate_reports, 5);
    assert_int_equal(with(LH_OPTION_RATE, "7/h").rate_window_ns, 3600000000000);
    assert_int_equal(with(LH_OPTION_RATE, "off").rate_window_ns, 0);
    static const char *const bad[] = {
        "",      "60",   "60/",   "/min",      "60/day",
        "0/min", "-1/s", "1.5/s", "1000001/s", "99999999999999999999/s"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(LH_OPTION_RATE, bad[i], "60/min, or off");
}

static void test_an_output_limit_is_bytes_per_second(void **state)
{
    (void)state;
    assert_int_equal(fresh().output_limit, 10 << 20);
    assert_int_equal(with(LH_OPTION_OUTPUT_LIMIT, "64KiB/s").output_limit, 65536);
    assert_int_equal(with(LH_OPTION_OUTPUT_LIMIT, "64k/s").output_limit, 65536);
    assert_int_equal(with(LH_OPTION_OUTPUT_LIMIT, "3GiB/s").output_limit, 3LL << 30);
    assert_int_equal(with(LH_OPTION_OUTPUT_LIMIT, "5000/s").output_limit, 5000);
    assert_int_equal(with(LH_OPTION_OUTPUT_LIMIT, "off").output_limit, 0);
    static const char *const bad[] = {
        "",       "10MiB",     "1MB/s", "1Ki/s",   "/s",    "1023/s", "0K/s",
        "1.5M/s", "10MiB/min", "1T/s",  "2000G/s", "off/s", " 10M/s", "99999999999999999999/s"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(LH_OPTION_OUTPUT_LIMIT, bad[i], "bytes per second such as 10MiB/s");
}

static void test_a_collector_is_auto_none_or_a_path(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_COLLECTOR, "none").collector_mode, LH_COLLECTOR_NONE);
    struct lh_options options = with(LH_OPTION_COLLECTOR, "/opt/loophound");
    assert_int_equal(options.collector_mode, LH_COLLECTOR_PATH);
    assert_string_equal(options.collector, "/opt/loophound");
    assert_refused(LH_OPTION_COLLECTOR, "", "auto, none or a path");
    assert_refused(LH_OPTION_COLLECTOR, repeated('x', 1024), "auto, none or a path");
}

static void test_following_is_on_off_or_a_glob(void **state)
{
    (void)state;
    assert_int_equal(with(LH_OPTION_FOLLOW, "off").follow_mode, LH_FOLLOW_OFF);
    struct lh_options options = with(LH_OPTION_FOLLOW, "*python3*");
    assert_int_equal(options.follow_mode, LH_FOLLOW_GLOB);
    assert_string_equal(options.follow_glob, "*python3*");
    assert_refused(LH_OPTION_FOLLOW, "", "on, off, or a glob");
    assert_refused(LH_OPTION_FOLLOW, repeated('x', 256), "on, off, or a glob");
}

static void test_the_problem_is_one_line_with_all_a_user_needs(void **state)
{
    (void)state;
    char line[LH_OPTION_PROBLEM_BYTES];
    static const char wanted[] = "loophound: LOOPHOUND_THRESHOLD=abc: expected a duration such as "
                                 "100ms, 2s or 500us; using 100ms\n";
    size_t length = lh_option_problem(line, sizeof(line), "LOOPHOUND_THRESHOLD", "abc",
                                      "a duration such as 100ms, 2s or 500us", "using 100ms");
    assert_string_equal(line, wanted);
    assert_int_equal(length, strlen(wanted));
}

static void test_the_problem_stays_one_line_whatever_the_value(void **state)
{
    (void)state;
    char line[LH_OPTION_PROBLEM_BYTES];
    lh_option_problem(line, sizeof(line), "--stack", "a\nb\x1b[31m\x7f", "x", "y");
    assert_string_equal(line, "loophound: --stack=a?b?[31m?: expected x; y\n");
    lh_option_problem(line, sizeof(line), "--stack", repeated('v', 4000), "x", "nothing started");
    assert_non_null(strstr(line, "vvv...: expected x; nothing started\n"));
}

static void test_a_problem_that_is_cut_still_ends_its_line(void **state)
{
    (void)state;
    char line[16] = "";
    assert_int_equal(lh_option_problem(line, 12, "--stack", "v", "x", "y"), 11);
    assert_string_equal(line, "loophound:\n");
    assert_int_equal(lh_option_problem(line, 2, "--stack", "v", "x", "y"), 1);
    assert_string_equal(line, "\n");
}

static void test_globs_match_whole_names(void **state)
{
    (void)state;
    assert_true(lh_glob_list_match("io-*", "io-1"));
    assert_true(lh_glob_list_match("io-*", "io-"));
    assert_false(lh_glob_list_match("io-*", "xio-1"));
    assert_true(lh_glob_list_match("Main?", "Main1"));
    assert_false(lh_glob_list_match("Main?", "Main"));
    assert_false(lh_glob_list_match("Main?", "Main12"));
    assert_true(lh_glob_list_match("*a*b*", "xxaxxaxbx"));
    assert_true(lh_glob_list_match("*ab", "aab"));
    assert_false(lh_glob_list_match("*ab", "aba"));
    assert_true(lh_glob_list_match("*", ""));
    assert_false(lh_glob_list_match("?", ""));
    assert_false(lh_glob_list_match("[ab]", "a"));
}

static void test_any_glob_of_a_list_may_match(void **state)
{
    (void)state;
    assert_true(lh_glob_list_match("a,b*,c", "bird"));
    assert_true(lh_glob_list_match("a,b*,c", "c"));
    assert_false(lh_glob_list_match("a,b*,c", "a,b"));
    assert_false(lh_glob_list_match("a,b", "ab"));
    assert_false(lh_glob_list_match("a,,b", "x"));
}

static void test_a_hostile_glob_ends_soon(void **state)
{
    (void)state;
    assert_false(lh_glob_list_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", repeated('a', 4000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_output_limit_is_bytes_per_second),
        cmocka_unit_test(test_every_default_is_a_value_that_is_taken),
        cmocka_unit_test(test_defaults_are_those_of_the_table),
        cmocka_unit_test(test_names_of_the_table_carry_the_prefix),
        cmocka_unit_test(test_durations_are_read_in_each_unit),
        cmocka_unit_test(test_durations_may_have_decimals),
        cmocka_unit_test(test_a_duration_is_at_most_an_hour),
        cmocka_unit_test(test_bad_durations_leave_the_default),
        cmocka_unit_test(test_a_switch_knows_the_usual_words),
        cmocka_unit_test(test_an_action_is_a_word_or_a_signal),
        cmocka_unit_test(test_a_loop_is_a_word_or_globs),
        cmocka_unit_test(test_an_output_is_stderr_a_descriptor_a_socket_or_a_path),
        cmocka_unit_test(test_a_bad_output_is_refused),
        cmocka_unit_test(test_the_format_follows_the_output),
        cmocka_unit_test(test_an_output_left_behind_does_not_decide_the_format),
        cmocka_unit_test(test_a_stack_has_up_to_256_frames),
        cmocka_unit_test(test_a_rate_is_a_number_per_time_or_off),
        cmocka_unit_test(test_a_collector_is_auto_none_or_a_path),
        cmocka_unit_test(test_following_is_on_off_or_a_glob),
        cmocka_unit_test(test_the_problem_is_one_line_with_all_a_user_needs),
        cmocka_unit_test(test_the_problem_stays_one_line_whatever_the_value),
        cmocka_unit_test(test_a_problem_that_is_cut_still_ends_its_line),
        cmocka_unit_test(test_globs_match_whole_names),
        cmocka_unit_test(test_any_glob_of_a_list_may_match),
        cmocka_unit_test(test_a_hostile_glob_ends_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
