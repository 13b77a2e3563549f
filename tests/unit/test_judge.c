/* SPDX-License-Identifier: Apache-2.0 */
/* Judgement: which report is quiet, which known, what all of them come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "collect/link/own_judge.h"
#include "collect/report/class_of_noise.h"
#include "collect/report/facts.h"
#include "collect/report/judge.h"
#include "collect/report/place_rule.h"
#include "common/call_ids.h"
#include "new_ring.h"

#define CWD "/srv/shop"

static struct lh_record *record;
static char problem_lines[2048];
static char file_name[] = "/tmp/loophound_judge_XXXXXX";

static const struct lh_frame frames[] = {
    {.lang = LH_LANG_NATIVE, .function = "__nanosleep", .module = "/lib/x86_64/libc.so.6"},
    {.lang = LH_LANG_PYTHON,
     .function = "get",
     .file = "/v/lib/python3.11/site-packages/requests/api.py"},
    {.lang = LH_LANG_PYTHON, .function = "show", .file = CWD "/app/views.py"},
    {.lang = LH_LANG_PYTHON, .function = "run", .file = "/usr/lib/python3.11/asyncio/runners.py"},
};

static int setup(void **state)
{
    (void)state;
    record = calloc(1, sizeof(*record));
    return record != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(record);
    return 0;
}

static void write_rules(const char *text)
{
    FILE *file = fopen(file_name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct lh_judge *judge_by(const char *allow, const char *baseline, int *error)
{
    struct lh_text problem;
    const struct lh_judge_setup with = {
        .suppress = "", .allow = allow, .baseline = baseline, .cwd = "", .now = "nothing started"};
    lh_text_init(&problem, problem_lines, sizeof(problem_lines));
    return lh_judge_new(&with, &problem, error);
}

static struct lh_report report_of(uint32_t type, uint32_t call, uint64_t elapsed_ns)
{
    memset(record, 0, sizeof(*record));
    record->type = type;
    record->call = call;
    record->group = lh_call_info(call)->group;
    record->elapsed_ns = elapsed_ns;
    record->resource.fd = -1;
    return (struct lh_report){.record = record, .frames = frames, .frame_count = 4};
}

static void judge_one(struct lh_judge *judge, struct lh_judged *judged, uint32_t type,
                      uint32_t call, struct lh_report *report)
{
    *report = report_of(type, call, 1000);
    lh_judge_take(judge, judged, report, 1, CWD);
}

static void test_first_rule_that_matches_is_the_one_and_all_are_counted(void **state)
{
    int error;
    struct lh_report report;
    struct lh_verdict verdict;
    (void)state;
    struct lh_judge *judge = judge_by("group:sleep # fine; call:nanosleep; call:recv", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_nanosleep, &report);
    assert_non_null(report.suppressed);
    assert_memory_equal(report.suppressed->text.text, "group:sleep", 11);
    assert_int_equal(report.known, LH_PLACE_UNASKED);
    assert_int_equal(judged->quiet.suppressed, 1);
    assert_int_equal(judged->quiet.uses[1], 1);
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_int_equal(verdict.suppressed_blocks, 1);
    assert_int_equal(verdict.rule_uses[0], 1);
    assert_int_equal(verdict.rule_uses[1], 1);
    assert_int_equal(verdict.rule_uses[2], 0);
    assert_int_equal(verdict.tallies[LH_GROUP_SLEEP].count, 0);
    lh_judge_free(judge);
}

static void test_exclamation_mark_wins_wherever_it_stands(void **state)
{
    int error;
    struct lh_report report;
    (void)state;
    struct lh_judge *judge = judge_by("call:nanosleep; !place:app/*; type:stall", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_nanosleep, &report);
    assert_null(report.suppressed);
    assert_int_equal(judged->quiet.uses[0], 1);
    assert_int_equal(judged->quiet.uses[1], 1);
    lh_judged_free(judge, judged);
    lh_judge_free(judge);
}

static const struct lh_frame in_libuv[] = {
    {.lang = LH_LANG_NATIVE, .function = "uv__io_uring_enter", .module = "/srv/loop.so"},
    {.lang = LH_LANG_NATIVE, .function = "uv__epoll_ctl_flush", .module = "/srv/loop.so"},
    {.lang = LH_LANG_NATIVE, .function = "uv_run", .module = "/srv/loop.so"},
};

static const struct lh_frame starts_pool[] = {
    {.lang = LH_LANG_NATIVE, .function = "uv_sem_wait", .module = "/srv/loop.so"},
    {.lang = LH_LANG_NATIVE, .function = "init_threads", .module = "/srv/loop.so"},
    {.lang = LH_LANG_NATIVE, .function = "uv__work_submit", .module = "/srv/loop.so"},
    {.lang = LH_LANG_PYTHON, .function = "resolve", .file = CWD "/app/views.py"},
};

static struct lh_report report_of_libuv(uint32_t call, const char *noise)
{
    struct lh_report report = report_of(LH_EVENT_BLOCK, call, 1000);
    struct lh_options options;
    lh_options_init(&options);
    options.strict = 1;
    assert_int_equal(lh_noise_parse(noise, &record->noise_on), 0);
    record->reason = LH_REASON_STRICT;
    record->id = 7;
    report.frames = in_libuv;
    report.frame_count = 3;
    lh_noise_take(&report, &options);
    return report;
}

static void test_class_is_known_by_a_function_of_machine_code_and_its_call(void **state)
{
    (void)state;
    assert_int_equal(lh_noise_of_native("io_uring_enter", in_libuv, 3), LH_NOISE_LOOP_OWN);
    assert_int_equal(lh_noise_of_native("io_uring_enter", in_libuv, 1), LH_NOISE_NONE);
    assert_int_equal(lh_noise_of_native("io_uring_enter", frames, 4), LH_NOISE_NONE);
    assert_int_equal(lh_noise_of_native("read", in_libuv, 3), LH_NOISE_NONE);
    assert_int_equal(lh_noise_of_native("sem_wait", starts_pool, 4), LH_NOISE_THREAD_START);
    assert_int_equal(lh_noise_of_native("sem_wait", starts_pool, 2), LH_NOISE_NONE);
    const struct lh_report off = report_of_libuv(LH_CALL_io_uring_enter, "-loop-own");
    assert_true(off.noise == LH_NOISE_LOOP_OWN && !off.noise_is_on);
    const struct lh_report on = report_of_libuv(LH_CALL_io_uring_enter, "auto");
    assert_true(on.noise == LH_NOISE_LOOP_OWN && on.noise_is_on);
}

static void test_noise_that_the_library_could_not_know_is_counted_as_such(void **state)
{
    int error;
    struct lh_totals totals = {.blocks = 8, .quiet[LH_NOISE_LOOP_OWN] = 2};
    struct lh_verdict verdict;
    (void)state;
    struct lh_judge *judge = judge_by("call:io_uring_enter; call:recv", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    struct lh_report report = report_of_libuv(LH_CALL_io_uring_enter, "auto");
    assert_false(lh_judge_take(judge, judged, &report, 1, CWD));
    assert_false(lh_judge_repeat(judge, judged, 7, 4, 100));
    assert_true(lh_judge_repeat(judge, judged, 8, 4, 100));
    lh_judged_leave_out(judged, &totals);
    assert_int_equal(totals.blocks, 3);
    assert_int_equal(totals.quiet[LH_NOISE_LOOP_OWN], 7);
    assert_int_equal(judged->quiet.suppressed, 0);
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_int_equal(verdict.tallies[LH_GROUP_WAIT].count, 0);
    assert_int_equal(verdict.rule_uses[0], 0);
    lh_judge_free(judge);
}

static void test_rule_with_an_exclamation_mark_has_such_noise_told(void **state)
{
    int error;
    (void)state;
    struct lh_judge *judge = judge_by("!noise:loop-own", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    struct lh_report report = report_of_libuv(LH_CALL_io_uring_enter, "auto");
    assert_true(lh_judge_take(judge, judged, &report, 1, CWD));
    assert_null(report.suppressed);
    lh_judged_free(judge, judged);
    lh_judge_free(judge);
}

static void test_what_goes_on_is_quiet_but_not_counted(void **state)
{
    int error;
    struct lh_report report;
    struct lh_verdict verdict;
    (void)state;
    struct lh_judge *judge = judge_by("group:sleep;type:stall", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    judge_one(judge, judged, LH_EVENT_INFLIGHT, LH_CALL_nanosleep, &report);
    assert_non_null(report.suppressed);
    judge_one(judge, judged, LH_EVENT_STALLING, LH_CALL_nanosleep, &report);
    assert_non_null(report.suppressed);
    assert_int_equal(judged->quiet.suppressed, 0);
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_int_equal(verdict.suppressed_blocks + verdict.suppressed_stalls, 0);
    assert_int_equal(verdict.rule_uses[0] + verdict.rule_uses[1], 0);
    lh_judge_free(judge);
}

static void test_suppressed_ones_are_taken_off_the_totals(void **state)
{
    int error;
    struct lh_report report;
    static struct lh_totals totals;
    (void)state;
    struct lh_judge *judge = judge_by("group:sleep", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_nanosleep, &report);
    judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_recv, &report);
    totals = (struct lh_totals){.blocks = 2, .blocked_ns = 2000};
    totals.by_call[LH_CALL_nanosleep].count = 1;
    totals.by_call[LH_CALL_nanosleep].total_ns = 900; /* a program may say what it likes */
    lh_judged_leave_out(judged, &totals);
    assert_int_equal(totals.blocks, 1);
    assert_int_equal(totals.blocked_ns, 1000);
    assert_int_equal(totals.by_call[LH_CALL_nanosleep].count, 0);
    assert_int_equal(totals.by_call[LH_CALL_nanosleep].total_ns, 0);
    lh_judged_free(judge, judged);
    lh_judge_free(judge);
}

static void test_places_of_the_baseline_are_known_and_others_new_once_each(void **state)
{
    int error;
    struct lh_report report;
    struct lh_verdict verdict;
    (void)state;
    write_rules("call:recv place:app/views.py:show\ncall:read place:gone.py:f\n");
    struct lh_judge *judge = judge_by("", file_name, &error);
    struct lh_judged *judged = lh_judged_new(judge);
    judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_recv, &report);
    assert_int_equal(report.known, LH_PLACE_KNOWN);
    for (int i = 0; i < 2; i++) {
        judge_one(judge, judged, LH_EVENT_STALL, LH_CALL_recv, &report);
        assert_int_equal(report.known, LH_PLACE_NEW);
        judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_nanosleep, &report);
        assert_int_equal(report.known, LH_PLACE_NEW);
    }
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_true(verdict.has_baseline);
    assert_int_equal(verdict.known_blocks, 1);
    assert_int_equal(verdict.baseline_uses[0], 1);
    assert_int_equal(verdict.baseline_uses[1], 0);
    assert_int_equal(verdict.new_count, 2);
    const struct lh_new_place *place = verdict.new_places[0];
    assert_string_equal(place->rule, "call:nanosleep place:app/views.py:show");
    assert_string_equal(place->what, "nanosleep");
    assert_string_equal(place->where, "app/views.py show");
    assert_int_equal(place->count, 2);
    assert_int_equal(place->total_ns, 2000);
    assert_int_equal(place->worst_ns, 1000);
    assert_string_equal(verdict.new_places[1]->rule, "type:stall place:app/views.py:show");
    assert_string_equal(verdict.new_places[1]->what, "stall");
    assert_int_equal(verdict.tallies[LH_TALLY_STALLS].count, 2);
    assert_int_equal(verdict.tallies[LH_GROUP_NETWORK].count, 1);
    lh_judge_free(judge);
}

static void test_new_place_is_told_as_its_longest_report(void **state)
{
    int error;
    struct lh_verdict verdict;
    static const uint64_t elapsed_ns[] = {500, 3000, 700};
    static const struct lh_advice advice[] = {
        {.text = "one", .rule = NULL}, {.text = "two", .rule = "ASYNC1"}, {.text = "three"}};
    (void)state;
    write_rules("");
    struct lh_judge *judge = judge_by("", file_name, &error);
    struct lh_judged *judged = lh_judged_new(judge);
    for (size_t i = 0; i < 3; i++) {
        struct lh_report report = report_of(LH_EVENT_BLOCK, LH_CALL_recv, elapsed_ns[i]);
        report.advice = &advice[i];
        record->id = i;
        record->reason = LH_REASON_STRICT;
        lh_judge_take(judge, judged, &report, 1, CWD);
    }
    lh_judge_repeat(judge, judged, 1, 5, 800);
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_int_equal(verdict.new_count, 1);
    assert_string_equal(verdict.new_places[0]->advice, "two  [ruff ASYNC1]");
    assert_int_equal(verdict.new_places[0]->worst_ns, 3000);
    assert_int_equal(verdict.new_places[0]->count, 8);
    assert_int_equal(verdict.new_places[0]->total_ns, 5000);
    lh_judge_free(judge);
}

static void test_report_without_a_stack_is_in_no_baseline(void **state)
{
    int error;
    struct lh_verdict verdict;
    (void)state;
    write_rules("");
    struct lh_judge *judge = judge_by("", file_name, &error);
    struct lh_judged *judged = lh_judged_new(judge);
    struct lh_report report = report_of(LH_EVENT_BLOCK, LH_CALL_recv, 1000);
    report.frame_count = 0;
    lh_judge_take(judge, judged, &report, 1, CWD);
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_int_equal(verdict.new_count, 0);
    assert_int_equal(verdict.placeless, 1);
    lh_judge_free(judge);
}

static void test_no_rule_of_a_source_with_a_fault_is_used(void **state)
{
    int error;
    struct lh_report report;
    (void)state;
    write_rules("call:recv\nbad\n");
    struct lh_judge *judge = judge_by("group:sleep; no", file_name, &error);
    struct lh_judged *judged = lh_judged_new(judge);
    assert_int_equal(error, -EINVAL);
    assert_non_null(strstr(problem_lines, "LOOPHOUND_ALLOW:1:14: \"no\": expected a condition"));
    assert_non_null(strstr(problem_lines, ":2:1: \"bad\": expected a condition"));
    judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_nanosleep, &report);
    assert_null(report.suppressed);
    assert_int_equal(report.known, LH_PLACE_UNASKED);
    lh_judged_free(judge, judged);
    lh_judge_free(judge);
}

static void test_only_regular_files_of_a_sane_size_are_read(void **state)
{
    int error;
    (void)state;
    lh_judge_free(judge_by("", "/dev/zero", &error));
    assert_non_null(strstr(problem_lines, "/dev/zero: not a regular file; nothing started\n"));
    lh_judge_free(judge_by("", "/", &error));
    assert_int_equal(error, -EISDIR);
    lh_judge_free(judge_by("", "/nowhere/x", &error));
    assert_int_equal(error, -ENOENT);
    assert_int_equal(truncate(file_name, LH_RULE_FILE_BYTES + 1), 0);
    lh_judge_free(judge_by("", file_name, &error));
    assert_non_null(strstr(problem_lines, "larger than 1 MiB"));
}

static void test_nearest_frame_is_outside_the_standard_library(void **state)
{
    struct lh_facts facts;
    (void)state;
    struct lh_report report = report_of(LH_EVENT_BLOCK, LH_CALL_recv, 1000);
    lh_facts_take(&facts, &report, 1);
    assert_int_equal(facts.of.at, 1);
    assert_int_equal(facts.of.place, 2);
    report.frames = &frames[3];
    report.frame_count = 1;
    lh_facts_take(&facts, &report, 1);
    assert_int_equal(facts.of.at, 1);
}

static void test_facts_are_those_of_the_record(void **state)
{
    struct lh_facts facts;
    static const char tags[] = "tests/a.py::b\0phase\0call\0k\0v";
    (void)state;
    struct lh_report report = report_of(LH_EVENT_BLOCK, LH_CALL_read, 1000);
    record->tid = 5;
    record->resource.kind = LH_RESOURCE_FILE;
    record->resource.fd = 3;
    record->resource.length = 12;
    memcpy(record->resource.text, "/dev/pts/3xx", 12);
    record->tags.has_test = 1;
    record->tags.label_count = 2;
    record->tags.length = sizeof(tags);
    memcpy(record->tags.text, tags, sizeof(tags));
    lh_facts_take(&facts, &report, 5);
    assert_string_equal(facts.of.path, "/dev/pts/3xx");
    assert_string_equal(facts.of.fd, "tty");
    assert_string_equal(facts.of.test, "tests/a.py::b");
    assert_string_equal(facts.of.phase, "call");
    assert_true(facts.of.main_thread);
    assert_string_equal(lh_facts_descriptor("pipe:[7]"), "pipe");
    assert_string_equal(lh_facts_descriptor("/dev/null"), "device");
    assert_string_equal(lh_facts_descriptor("anon_inode:[eventfd]"), "anon");
    assert_string_equal(lh_facts_descriptor("/tmp/x"), "file");
    assert_null(lh_facts_descriptor("x"));
}

static void test_repeated_calls_are_what_their_report_was(void **state)
{
    int error;
    struct lh_verdict verdict;
    static struct lh_totals totals;
    (void)state;
    struct lh_judge *judge = judge_by("group:sleep", "", &error);
    struct lh_judged *judged = lh_judged_new(judge);
    for (uint32_t i = 1; i <= 1000; i++) { /* more than there is room for at first */
        struct lh_report report =
            report_of(LH_EVENT_BLOCK, i % 2 == 0 ? LH_CALL_nanosleep : LH_CALL_recv, 10);
        record->id = i;
        record->reason = LH_REASON_STRICT;
        lh_judge_take(judge, judged, &report, 1, CWD);
    }
    lh_judge_repeat(judge, judged, 500, 7, 70);  /* suppressed … */
    lh_judge_repeat(judge, judged, 501, 3, 30);  /* … reported … */
    lh_judge_repeat(judge, judged, 2000, 9, 90); /* … never seen */
    assert_int_equal(judged->quiet.suppressed, 507);
    totals = (struct lh_totals){.blocks = 1010, .blocked_ns = 10100};
    lh_judged_leave_out(judged, &totals);
    assert_int_equal(totals.blocks, 503);
    assert_int_equal(totals.blocked_ns, 5030);
    lh_judged_free(judge, judged);
    lh_judge_verdict(judge, &verdict);
    assert_int_equal(verdict.suppressed_blocks, 507);
    assert_int_equal(verdict.tallies[LH_GROUP_NETWORK].count, 503);
    assert_int_equal(verdict.tallies[LH_GROUP_NETWORK].worst_ns, 10);
    assert_int_equal(verdict.rule_uses[0], 500);
    lh_judge_free(judge);
}

static void test_files_are_not_read_for_a_program_of_another_user(void **state)
{
    struct lh_ring *header = new_ring();
    struct lh_report report;
    (void)state;
    assert_non_null(header);
    write_rules("group:sleep\n");
    (void)snprintf(header->options.suppress, sizeof(header->options.suppress), "%s", file_name);
    for (int may_read = 0; may_read <= 1; may_read++) {
        (void)snprintf(header->warnings, sizeof(header->warnings), "first");
        struct lh_judge *judge = lh_own_judge(header, may_read != 0);
        struct lh_judged *judged = lh_judged_new(judge);
        judge_one(judge, judged, LH_EVENT_BLOCK, LH_CALL_nanosleep, &report);
        assert_int_equal(report.suppressed != NULL, may_read);
        assert_string_equal(header->warnings,
                            may_read != 0
                                ? "first"
                                : "first\nthe program is another user's: its rules are not read\n");
        lh_judged_free(judge, judged);
        lh_judge_free(judge);
    }
    free(header);
}

static void fill_warnings(struct lh_ring *header)
{
    (void)snprintf(header->options.allow, sizeof(header->options.allow), "nonsense");
    for (size_t free_bytes = 0; free_bytes < 200; free_bytes += 7) {
        size_t used = sizeof(header->warnings) - 1 - free_bytes;
        memset(header->warnings, 'w', used);
        header->warnings[used] = '\0';
        lh_judge_free(lh_own_judge(header, true));
        assert_in_range(strnlen(header->warnings, sizeof(header->warnings)), used,
                        sizeof(header->warnings) - 1);
    }
}

static void test_warnings_that_are_full_stay_a_string(void **state)
{
    struct lh_ring *header = new_ring();
    (void)state;
    if (header == NULL)
        fail_msg("out of memory");
    else
        fill_warnings(header);
    free(header);
}

/* What is generated can be read, and matches what it was made of. */
static void test_rule_of_any_place_matches_it(void **state)
{
    static const struct lh_frame odd[] = {
        {.lang = LH_LANG_PYTHON, .function = "f.<locals>.g", .file = CWD "/my app/a:b.py"},
        {.lang = LH_LANG_PYTHON, .function = "it's \"so\"", .file = "/x/it's \"odd\".py"},
        {.lang = LH_LANG_PYTHON, .function = "<module>", .file = "<frozen zip import>"},
        {.lang = LH_LANG_NATIVE, .function = "operator new(unsigned long)", .file = "a.cc"},
        {.lang = LH_LANG_NATIVE, .function = "<&mut t::T as c::U>::poll", .module = "/bin/x y"},
        {.lang = LH_LANG_NATIVE, .module = "/bin/stripped"},
        {.lang = LH_LANG_PYTHON, .function = "tab\tand\nline", .file = "\"q.py"},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char text[LH_PLACE_RULE_BYTES];
        struct lh_rule_reader reader;
        struct lh_rule rule;
        struct lh_rule_problem problem;
        const struct lh_rule_facts facts = {
            .call = "open", .frames = odd, .frame_count = i + 1, .place = i};
        assert_true(lh_place_rule(&facts, CWD, text));
        lh_rule_reader_init(&reader, text, strlen(text), "r", false);
        assert_int_equal(lh_rule_read(&reader, &rule, &problem), 1);
        if (!lh_rule_matches(&rule, &facts))
            fail_msg("%s does not match", text);
        assert_int_equal(rule.text.length, strlen(text));
    }
}

int main(void)
{
    int fd = mkstemp(file_name);
    if (fd < 0)
        return 1;
    close(fd);
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_first_rule_that_matches_is_the_one_and_all_are_counted),
        TEST(test_exclamation_mark_wins_wherever_it_stands),
        TEST(test_class_is_known_by_a_function_of_machine_code_and_its_call),
        TEST(test_noise_that_the_library_could_not_know_is_counted_as_such),
        TEST(test_rule_with_an_exclamation_mark_has_such_noise_told),
        TEST(test_what_goes_on_is_quiet_but_not_counted),
        TEST(test_suppressed_ones_are_taken_off_the_totals),
        TEST(test_places_of_the_baseline_are_known_and_others_new_once_each),
        TEST(test_new_place_is_told_as_its_longest_report),
        TEST(test_report_without_a_stack_is_in_no_baseline),
        TEST(test_no_rule_of_a_source_with_a_fault_is_used),
        TEST(test_only_regular_files_of_a_sane_size_are_read),
        TEST(test_nearest_frame_is_outside_the_standard_library),
        TEST(test_facts_are_those_of_the_record),
        TEST(test_repeated_calls_are_what_their_report_was),
        TEST(test_files_are_not_read_for_a_program_of_another_user),
        TEST(test_warnings_that_are_full_stay_a_string),
        TEST(test_rule_of_any_place_matches_it),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file_name);
    return failed;
}
