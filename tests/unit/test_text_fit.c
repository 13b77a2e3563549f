/* SPDX-License-Identifier: Apache-2.0 */
/* Text reports on a terminal: they fit its width, and the line to look at stands out. */
#include "collect/sink/text_fit.h"
#include "text_report.h"

static struct fixture *terminal(void **state, uint16_t columns)
{
    struct fixture *fixture = *state;
    fixture->columns = columns;
    fixture->plain = true;
    return fixture;
}

static void test_first_line_is_broken_between_its_parts(void **state)
{
    struct fixture *fixture = terminal(state, 60);
    block(fixture);
    assert_string_equal(reported_line(fixture), HEAD "blocked 301.2 ms in\n"
                                                     "    clock_nanosleep (sleep 300 ms)  #17\n");
    fixture->record->id = 18;
    fixture->record->call = LH_CALL_recv;
    set_text(&fixture->record->resource, LH_RESOURCE_FILE, "/srv/a/b");
    assert_string_equal(reported_line(fixture), HEAD "blocked 301.2 ms in recv\n"
                                                     "    (file /srv/a/b)  #18\n");
}

static void test_word_longer_than_a_line_is_broken_too(void **state)
{
    struct fixture *fixture = terminal(state, 50);
    block(fixture);
    set_text(&fixture->record->resource, LH_RESOURCE_FILE,
             "/a/name/of/a/file/that/is/so/long/that/no/line/of/this/terminal/holds/it");
    assert_string_equal(reported_line(fixture),
                        HEAD "blocked 301.2 ms in\n"
                             "    clock_nanosleep (file\n"
                             "    /a/name/of/a/file/that/is/so/long/that/no/line\n"
                             "    /of/this/terminal/holds/it)  #17\n");
}

static void test_one_line_about_a_known_place_is_cut_before_its_number(void **state)
{
    const struct lh_frame frames[] = {PYTHON("handler", "app.py", 5)};
    struct fixture *fixture = terminal(state, 80);
    block(fixture);
    reported(fixture, frames, 1);
    fixture->record->id = 18;
    const char *line = reported(fixture, frames, 1);
    assert_string_equal(line, HEAD "again, 2nd time: blocked 301.2 ms  #18, as #17\n");
    assert_true(lh_text_width(line) <= 80 + 1);
}

static void test_rows_of_a_stack_fit_and_keep_the_ends_of_paths(void **state)
{
    const struct lh_frame frames[] = {
        PYTHON("_call_the_endpoint_of_the_route", SITE("framework/a_folder/a_long_name.py"), 1234),
        PYTHON("dispatch", "app.py", 8)};
    struct fixture *fixture = terminal(state, 50);
    block(fixture)->call = LH_CALL_read;
    fixture->record->resource.kind = LH_RESOURCE_NONE;
    assert_string_equal(reported(fixture, frames, 2),
                        HEAD "blocked 301.2 ms in\n"
                             "    read  #17\n"
                             "  ...long_name.py:1234  _call_the_endpoint_of_t...\n"
                             "> app.py:8              dispatch           retu...\n");
}

static void test_summary_and_table_fit(void **state)
{
    struct fixture *fixture = terminal(state, 60);
    struct lh_frame frames[] = {PYTHON("dispatch", "a_name_of_a_file_that_takes_much_room.py", 8)};
    frames[0].source = "return await handler(request)";
    block(fixture);
    reported(fixture, frames, 1);
    fixture->record->id = 18;
    reported(fixture, frames, 1);
    assert_int_equal(lh_sink_summary(fixture->sink, 0, &(struct lh_quiet){0}), 0);
    assert_string_equal(written(fixture),
                        "loophound[4242] 2 blocks and 0 stalls on 0 loop threads,\n"
                        "    602.5 ms in all; 0 reports dropped\n"
                        "     TOTAL     WORST  COUNT  CALL             WHERE\n"
                        "  602.5 ms  301.2 ms      2  clock_nanosleep  a_name_of_a...\n");
}

static void test_where_it_is_no_terminal_nothing_is_cut(void **state)
{
    struct fixture *fixture = terminal(state, 0);
    setenv("COLUMNS", "40", 1);
    block(fixture);
    assert_string_equal(reported_line(fixture), CLOCK_NANO_BLOCK);
    unsetenv("COLUMNS");
}

static void test_terminal_that_does_not_know_its_width_has_that_of_columns(void **state)
{
    struct fixture *fixture = terminal(state, 1);
    const struct winsize unknown = {0};
    block(fixture);
    reported_line(fixture);
    assert_int_equal(ioctl(fixture->read_fd, TIOCSWINSZ, &unknown), 0);
    assert_int_equal(lh_output_columns(fixture->output), 80);
    setenv("COLUMNS", "132", 1);
    assert_int_equal(lh_output_columns(fixture->output), 132);
    setenv("COLUMNS", "many", 1);
    assert_int_equal(lh_output_columns(fixture->output), 80);
    unsetenv("COLUMNS");
}

static void test_line_to_look_at_stands_out_as_a_whole(void **state)
{
    const struct lh_frame frames[] = {PYTHON("request", SITE("requests/api.py"), 59),
                                      PYTHON("handler", "app.py", 5)};
    struct fixture *fixture = terminal(state, 200);
    fixture->plain = false;
    block(fixture);
    const char *text = reported(fixture, frames, COUNT(frames));
    assert_non_null(strstr(text, "\n  \033[36mrequests/api.py:59\033[0m  request\n"));
    assert_non_null(
        strstr(text, "\n\033[1m> app.py:5            handler            time.sleep(0.3)\033[0m\n"));
}

static void test_row_that_is_cut_keeps_its_colour_to_itself(void **state)
{
    const struct lh_frame frames[] = {PYTHON("handler", "app.py", 5)};
    struct fixture *fixture = terminal(state, 40);
    fixture->plain = false;
    block(fixture);
    const char *text = reported(fixture, frames, 1);
    assert_non_null(strstr(text, "\033[1m> app.py:5  handler            time.s...\033[0m\n"));
}

static void test_wide_characters_take_two_columns_and_accents_none(void **state)
{
    (void)state;
    assert_int_equal(lh_text_width("abc"), 3);
    assert_int_equal(lh_text_width("日本"), 4);
    assert_int_equal(lh_text_width("e\u0301"), 1);
    assert_int_equal(lh_text_width("\033[1;31mab\033[0m"), 2);
    assert_int_equal(lh_text_width("\xff\xe6z"), 3); /* no UTF-8 */
    assert_int_equal(lh_text_width("\xf0"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_line_is_broken_between_its_parts),
        TEST(test_word_longer_than_a_line_is_broken_too),
        TEST(test_one_line_about_a_known_place_is_cut_before_its_number),
        TEST(test_rows_of_a_stack_fit_and_keep_the_ends_of_paths),
        TEST(test_summary_and_table_fit),
        TEST(test_where_it_is_no_terminal_nothing_is_cut),
        TEST(test_terminal_that_does_not_know_its_width_has_that_of_columns),
        TEST(test_line_to_look_at_stands_out_as_a_whole),
        TEST(test_row_that_is_cut_keeps_its_colour_to_itself),
        TEST(test_wide_characters_take_two_columns_and_accents_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
