/* SPDX-License-Identifier: Apache-2.0 */
/* Text reports of places that have been shown: one line each, and a table of them at the end. */
#include "text_report.h"

static const struct lh_frame handler[] = {PYTHON("handler", "app.py", 5)};
static const struct lh_frame dispatch[] = {PYTHON("dispatch", "app.py", 8)};

#define HANDLER_STACK  "> app.py:5  handler            time.sleep(0.3)\n"
#define DISPATCH_STACK "> app.py:8  dispatch           return await handler(request)\n"

/* A block of so many milliseconds, at this time. */
static const char *blocked(struct fixture *fixture, uint64_t id, uint64_t ms, int64_t time_ns,
                           const struct lh_frame *frames)
{
    struct lh_record *record = block(fixture);
    record->id = id;
    record->elapsed_ns = ms * MS;
    record->time_ns = time_ns;
    return reported(fixture, frames, 1);
}

static const char *in_flight(struct fixture *fixture, uint64_t id, uint64_t ms)
{
    struct lh_record *record = block(fixture);
    record->type = LH_EVENT_INFLIGHT;
    record->id = id;
    record->elapsed_ns = ms * MS;
    return reported(fixture, handler, 1);
}

static const char *summary(struct fixture *fixture, uint64_t blocks, uint64_t stalls, uint64_t ms)
{
    struct lh_totals *totals = &fixture->header->totals;
    atomic_store(&totals->loops, 1);
    atomic_store(&totals->blocks, blocks);
    atomic_store(&totals->blocked_ns, ms * MS);
    atomic_store(&totals->stalls, stalls);
    assert_int_equal(lh_sink_summary(fixture->sink, 0, &(struct lh_quiet){0}), 0);
    return written(fixture);
}

static void test_the_next_of_a_place_is_one_line_with_the_number_of_the_first(void **state)
{
    assert_string_equal(blocked(*state, 1, 100, 0, handler), HEAD
                        "blocked 100.0 ms in clock_nanosleep (sleep 300 ms)  #1\n" HANDLER_STACK);
    assert_string_equal(blocked(*state, 2, 101, 0, handler),
                        HEAD "again, 2nd time: blocked 101.0 ms in clock_nanosleep "
                             "(sleep 300 ms)  #2, as #1\n");
    assert_string_equal(blocked(*state, 3, 102, 0, handler),
                        HEAD "again, 3rd time: blocked 102.0 ms in clock_nanosleep "
                             "(sleep 300 ms)  #3, as #1\n");
}

static void test_ordinals_are_those_of_english(void **state)
{
    static const struct {
        uint64_t nth;
        const char *words;
    } rows[] = {{2, " 2nd "},   {3, " 3rd "},   {4, " 4th "},   {11, " 11th "},  {12, " 12th "},
                {13, " 13th "}, {21, " 21st "}, {22, " 22nd "}, {111, " 111th "}};
    uint64_t id = 1;
    blocked(*state, id, 100, 0, handler);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = "";
        while (id < rows[i].nth)
            text = blocked(*state, ++id, 100, 0, handler);
        assert_non_null(strstr(text, rows[i].words));
    }
}

static void test_after_a_minute_the_stack_is_shown_again(void **state)
{
    blocked(*state, 1, 100, 0, handler);
    assert_null(strstr(blocked(*state, 2, 100, MINUTE_NS - 1, handler), HANDLER_STACK));
    assert_non_null(strstr(blocked(*state, 3, 100, MINUTE_NS, handler), HANDLER_STACK));
    assert_non_null(strstr(blocked(*state, 4, 100, MINUTE_NS, handler), "again, 4th time: "));
    assert_non_null(strstr(blocked(*state, 5, 100, MINUTE_NS, handler), "  #5, as #3\n"));
}

static void test_another_place_and_another_call_have_their_own_stacks(void **state)
{
    blocked(*state, 1, 100, 0, handler);
    assert_non_null(strstr(blocked(*state, 2, 100, 0, dispatch), DISPATCH_STACK));
    struct lh_record *record = block(*state);
    record->call = LH_CALL_recv;
    record->id = 3;
    assert_non_null(strstr(reported(*state, handler, 1), HANDLER_STACK));
}

static void test_a_place_whose_line_has_moved_is_the_same(void **state)
{
    struct lh_frame moved[] = {PYTHON("handler", "app.py", 5)};
    moved[0].source = "time.sleep(0.3)";
    blocked(*state, 1, 100, 0, moved);
    moved[0].line = 6;
    assert_non_null(strstr(blocked(*state, 2, 100, 0, moved), "again, 2nd time: "));
}

static void test_call_in_flight_at_a_known_place_is_told_from_a_second_on(void **state)
{
    blocked(*state, 1, 100, 0, handler);
    assert_string_equal(in_flight(*state, 2, 100), "");
    assert_string_equal(blocked(*state, 2, 300, 0, handler),
                        HEAD "again, 2nd time: blocked 300.0 ms in clock_nanosleep "
                             "(sleep 300 ms)  #2, as #1\n");
    in_flight(*state, 3, 100);
    assert_string_equal(in_flight(*state, 3, 1600),
                        HEAD "again, 3rd time: still blocked after 1600 ms in clock_nanosleep "
                             "(sleep 300 ms)  #3, as #1\n");
    assert_string_equal(blocked(*state, 3, 1700, 0, handler),
                        HEAD "blocked 1700.0 ms in clock_nanosleep (sleep 300 ms)  #3\n");
}

static void test_stack_that_was_shown_in_flight_counts(void **state)
{
    assert_non_null(strstr(in_flight(*state, 1, 100), HANDLER_STACK));
    assert_non_null(strstr(in_flight(*state, 2, 1100), "again, 2nd time: still blocked"));
    assert_string_equal(blocked(*state, 1, 1200, 0, handler),
                        HEAD "blocked 1200.0 ms in clock_nanosleep (sleep 300 ms)  #1\n");
}

static void test_whoever_has_the_lock_stands_in_the_line(void **state)
{
    struct fixture *fixture = *state;
    struct lh_holder holder = {.tid = 99, .thread = "worker"};
    struct lh_report report = {.record = block(fixture),
                               .frames = handler,
                               .frame_count = 1,
                               .fingerprint = 1,
                               .holder = &holder};
    open_sink(fixture);
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    assert_non_null(strstr(written(fixture), "  the lock held by worker (thread 99)\n"));
    fixture->record->id = 18;
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    assert_non_null(strstr(written(fixture), ", the lock held by worker  #18, as #17\n"));
    fixture->record->id = 19;
    holder.deadlock = true; /* that is news */
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    const char *text = written(fixture);
    assert_non_null(strstr(text, "deadlock: "));
    assert_null(strstr(text, "again"));
}

static void test_stall_of_a_known_place_is_one_line(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_sample group = {.ns = 100 * MS, .frames = handler, .frame_count = 1};
    struct lh_report report = {.record = block(fixture),
                               .groups = &group,
                               .group_count = 1,
                               .samples = &group,
                               .sample_count = 1,
                               .fingerprint = 1};
    fixture->record->type = LH_EVENT_STALL;
    open_sink(fixture);
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    assert_non_null(strstr(written(fixture), "sampled:\n" HANDLER_STACK));
    fixture->record->id = 18;
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    assert_string_equal(written(fixture), HEAD "again, 2nd time: stalled 301.2 ms  #18, as #17\n");
}

static void test_places_are_summed_up_in_the_end_the_worst_first(void **state)
{
    blocked(*state, 1, 100, 0, handler);
    blocked(*state, 2, 120, 0, handler);
    blocked(*state, 3, 1400, 0, dispatch);
    assert_string_equal(summary(*state, 3, 0, 1620),
                        "loophound[4242] 3 blocks and 0 stalls on 1 loop thread, 1620.0 ms in all; "
                        "0 reports dropped\n"
                        "      TOTAL      WORST  COUNT  CALL             WHERE\n"
                        "  1400.0 ms  1400.0 ms      1  clock_nanosleep  app.py:8 dispatch\n"
                        "   220.0 ms   120.0 ms      2  clock_nanosleep  app.py:5 handler\n");
}

/* As a ring that lies may have them. */
static void test_times_that_cannot_be_add_up_to_the_longest_there_is(void **state)
{
    const uint64_t ever = UINT64_MAX / MS;
    blocked(*state, 1, ever, 0, handler);
    blocked(*state, 2, ever, 0, handler);
    blocked(*state, 3, ever, 0, dispatch);
    assert_string_equal(
        summary(*state, 3, 0, 100),
        "loophound[4242] 3 blocks and 0 stalls on 1 loop thread, 18446744073.7 s "
        "in all; 0 reports dropped\n"
        "            TOTAL            WORST  COUNT  CALL             WHERE\n"
        "  18446744073.7 s  18446744073.7 s      2  clock_nanosleep  app.py:5 handler\n"
        "  18446744073.7 s  18446744073.7 s      1  clock_nanosleep  app.py:8 dispatch\n");
}

static void test_the_table_has_ten_places_and_says_what_it_has_not(void **state)
{
    for (uint32_t i = 1; i <= 12; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "handler_%u", i);
        const struct lh_frame frames[] = {PYTHON(name, "gone.py", i)};
        blocked(*state, i, 100 + i, 0, frames);
    }
    const char *text = summary(*state, 15, 0, 2000);
    assert_non_null(strstr(text, "gone.py:12 handler_12\n"));
    assert_non_null(strstr(text, "gone.py:3 handler_3\n"));
    assert_null(strstr(text, "gone.py:2 handler_2\n"));
    assert_non_null(strstr(text, "  ... 2 more places\n"));
    assert_non_null(strstr(text, "  ... and 3 that were not reported, wherever\n"));
}

static void test_of_one_report_there_is_no_table(void **state)
{
    in_flight(*state, 1, 100);
    blocked(*state, 1, 100, 0, handler);
    assert_null(strstr(summary(*state, 1, 0, 100), "TOTAL"));
}

static void test_what_was_told_in_flight_is_no_nothing(void **state)
{
    in_flight(*state, 1, 1100);
    block(*state)->type = LH_EVENT_STALLING;
    reported(*state, dispatch, 1);
    assert_string_equal(summary(*state, 0, 0, 0),
                        "loophound[4242] 1 block and 1 stall on 1 loop thread, 1401.2 ms in all; "
                        "0 reports dropped\n"
                        "      TOTAL      WORST  COUNT  CALL             WHERE\n"
                        "  1100.0 ms  1100.0 ms      1  clock_nanosleep  app.py:5 handler\n"
                        "   301.2 ms   301.2 ms      1  stall            app.py:8 dispatch\n");
}

static void test_parts_of_a_stall_that_look_alike_are_one(void **state)
{
    const struct lh_frame native[] = {NATIVE("builtin_sum", INTERPRETER, 1),
                                      PYTHON("handler", "app.py", 5)};
    struct fixture *fixture = *state;
    struct lh_sample groups[] = {{.ns = 100 * MS, .frames = handler, .frame_count = 1},
                                 {.ns = 50 * MS, .frames = native, .frame_count = 2},
                                 {.ns = 30 * MS, .frames = dispatch, .frame_count = 1}};
    struct lh_report report = {.record = block(fixture),
                               .groups = groups,
                               .group_count = COUNT(groups),
                               .samples = groups,
                               .sample_count = COUNT(groups)};
    fixture->record->type = LH_EVENT_STALL;
    fixture->record->system_call = -1;
    open_sink(fixture);
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    assert_string_equal(written(fixture),
                        HEAD "stalled 301.2 ms  #17\n"
                             "  in 150.0 ms of 180.0 ms sampled:\n" HANDLER_STACK
                             "  in 30.0 ms of 180.0 ms sampled:\n" DISPATCH_STACK);
}

#define ADVICE "  advice: use await asyncio.sleep()  [ruff ASYNC251]\n"

static void test_advice_stands_below_the_stack_of_its_place(void **state)
{
    static const struct lh_advice advice = {"ASYNC251", "use await asyncio.sleep()"};
    static const struct lh_advice other = {NULL, "do not \033[2J"};
    struct fixture *fixture = *state;
    fixture->advice = &advice;
    assert_non_null(strstr(in_flight(fixture, 1, 100), HANDLER_STACK ADVICE));
    assert_null(strstr(blocked(fixture, 1, 200, 0, handler), "advice"));
    assert_null(strstr(blocked(fixture, 2, 200, 0, handler), "advice"));
    assert_non_null(strstr(blocked(fixture, 3, 200, MINUTE_NS, handler), HANDLER_STACK ADVICE));
    fixture->advice = &other;
    assert_non_null(strstr(blocked(fixture, 4, 200, MINUTE_NS, dispatch),
                           DISPATCH_STACK "  advice: do not ?[2J\n"));
}

/* Told while it lasted, and again with where its time went. */
static void test_advice_about_a_stall_is_not_told_twice(void **state)
{
    static const struct lh_advice advice = {"ASYNC251", "use await asyncio.sleep()"};
    struct fixture *fixture = *state;
    struct lh_sample group = {.ns = 100 * MS, .frames = handler, .frame_count = 1};
    fixture->advice = &advice;
    block(fixture);
    fixture->record->type = LH_EVENT_STALLING;
    fixture->record->system_call = -1;
    assert_non_null(strstr(reported(fixture, handler, 1), HANDLER_STACK ADVICE));
    fixture->record->type = LH_EVENT_STALL;
    const struct lh_report report = {.record = fixture->record,
                                     .fingerprint = fingerprint(fixture->record, handler, 1),
                                     .advice = &advice,
                                     .groups = &group,
                                     .group_count = 1,
                                     .samples = &group,
                                     .sample_count = 1};
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    const char *text = written(fixture);
    assert_non_null(strstr(text, HANDLER_STACK));
    assert_null(strstr(text, "advice"));
}

/* A report on a full disk. */
static void lose(struct fixture *fixture, uint64_t id)
{
    char path[128];
    char kept[128];
    struct lh_report report = {.record = block(fixture),
                               .frames = handler,
                               .frame_count = 1,
                               .fingerprint = fingerprint(fixture->record, handler, 1)};
    (void)snprintf(path, sizeof(path), "%s/out", fixture->directory);
    (void)snprintf(kept, sizeof(kept), "%s/kept", fixture->directory);
    fixture->record->id = id;
    assert_int_equal(rename(path, kept), 0);
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(lh_sink_report(fixture->sink, &report), -ENOSPC);
    assert_int_equal(rename(kept, path), 0);
}

static void test_a_report_that_was_lost_is_none_that_the_next_one_can_point_to(void **state)
{
    struct fixture *fixture = *state;
    open_sink(fixture);
    lose(fixture, 1);
    assert_non_null(strstr(blocked(fixture, 2, 100, 0, handler), HANDLER_STACK));
    assert_non_null(strstr(blocked(fixture, 3, 100, 0, handler), ", as #2\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_next_of_a_place_is_one_line_with_the_number_of_the_first),
        TEST(test_ordinals_are_those_of_english),
        TEST(test_after_a_minute_the_stack_is_shown_again),
        TEST(test_another_place_and_another_call_have_their_own_stacks),
        TEST(test_a_place_whose_line_has_moved_is_the_same),
        TEST(test_call_in_flight_at_a_known_place_is_told_from_a_second_on),
        TEST(test_stack_that_was_shown_in_flight_counts),
        TEST(test_whoever_has_the_lock_stands_in_the_line),
        TEST(test_stall_of_a_known_place_is_one_line),
        TEST(test_parts_of_a_stall_that_look_alike_are_one),
        TEST(test_places_are_summed_up_in_the_end_the_worst_first),
        TEST(test_times_that_cannot_be_add_up_to_the_longest_there_is),
        TEST(test_the_table_has_ten_places_and_says_what_it_has_not),
        TEST(test_of_one_report_there_is_no_table),
        TEST(test_what_was_told_in_flight_is_no_nothing),
        TEST(test_advice_stands_below_the_stack_of_its_place),
        TEST(test_advice_about_a_stall_is_not_told_twice),
        TEST(test_a_report_that_was_lost_is_none_that_the_next_one_can_point_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
