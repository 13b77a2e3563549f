/* SPDX-License-Identifier: Apache-2.0 */
/* An output's limit: what is over it is not written, and said once; what must be written is. */
#include "output_to_test.h"

#include "collect/sink/sink.h"
#include "preload/reader/raw_output.h"

#define LIMIT 65536u
#define BYTES 1024u

static struct lh_output *open_limited(struct fixture *fixture)
{
    fixture->header->options.output_limit = LIMIT;
    return open_in_directory(fixture, LH_OUTPUT_PATH, "limited");
}

static const char *report_of(char letter)
{
    static char text[LIMIT / 4];
    memset(text, letter, sizeof(text));
    text[BYTES - 1] = '\n';
    return text;
}

static int write_one(struct lh_output *output, struct lh_bucket *share, char letter)
{
    return lh_output_write_report(output, share, report_of(letter), BYTES, NULL);
}

static unsigned write_until_refused(struct lh_output *output, struct lh_bucket *share)
{
    unsigned count = 0;
    int error = 0;
    for (; count < 100000 && error == 0; count++)
        error = write_one(output, share, 'a');
    assert_int_equal(error, -EOVERFLOW);
    return count - 1;
}

static size_t size_of(const struct fixture *fixture)
{
    struct stat status;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/limited", fixture->directory);
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

static void test_what_is_over_the_limit_is_not_written_and_said_once(void **state)
{
    struct fixture *fixture = *state;
    struct lh_bucket share = {0};
    char said[4096];
    fixture->output = open_limited(fixture);
    int64_t begin_ms = now_ms();
    capture_stderr(fixture);
    unsigned written = write_until_refused(fixture->output, &share);
    (void)write_until_refused(fixture->output, &share);
    release_stderr(fixture, said, sizeof(said));
    size_t most = LIMIT + (size_t)(now_ms() - begin_ms + 1) * LIMIT / 1000;
    assert_in_range(written * BYTES, LIMIT - BYTES, most);
    assert_in_range(size_of(fixture), LIMIT - BYTES, most);
    assert_non_null(strstr(said, "/limited (LOOPHOUND_OUTPUT_LIMIT): what is over it is left out"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void test_there_is_room_again_a_moment_later(void **state)
{
    struct fixture *fixture = *state;
    struct lh_bucket share = {0};
    char said[4096];
    fixture->output = open_limited(fixture);
    capture_stderr(fixture);
    (void)write_until_refused(fixture->output, &share);
    int64_t deadline = now_ms() + 10000;
    while (write_one(fixture->output, &share, 'b') != 0) {
        assert_true(now_ms() < deadline);
        poll(NULL, 0, 5);
    }
    release_stderr(fixture, said, sizeof(said));
}

static void test_a_line_that_must_be_written_is_over_the_limit_too(void **state)
{
    struct fixture *fixture = *state;
    struct lh_bucket share = {0};
    char said[4096];
    fixture->output = open_limited(fixture);
    capture_stderr(fixture);
    (void)write_until_refused(fixture->output, &share);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(lh_output_write(fixture->output, LINE, strlen(LINE)), 0);
    release_stderr(fixture, said, sizeof(said));
}

static void test_a_flood_of_one_program_leaves_another_its_part(void **state)
{
    struct fixture *fixture = *state;
    struct lh_bucket loud = {0};
    struct lh_bucket quiet = {0};
    char said[4096];
    fixture->output = open_limited(fixture);
    struct lh_output *shared = open_limited(fixture);
    assert_ptr_equal(shared, fixture->output);
    capture_stderr(fixture);
    (void)write_until_refused(fixture->output, &loud);
    int result = write_one(shared, &quiet, 'q');
    release_stderr(fixture, said, sizeof(said));
    lh_output_put(fixture->outputs, shared);
    assert_int_equal(result, 0);
}

/* What no line could be written for has no meaning in the file. */
static void test_news_of_what_was_left_out_are_not_known(void **state)
{
    struct fixture *fixture = *state;
    struct lh_bucket share = {0};
    struct lh_known found;
    char said[4096];
    const struct lh_known frame = {.id = 7};
    fixture->output = open_limited(fixture);
    capture_stderr(fixture);
    (void)write_until_refused(fixture->output, &share);
    struct lh_output_news news = {.file_number = lh_output_file_number(fixture->output)};
    lh_id_set_add(&news.ids, &frame);
    int refused = lh_output_write_report(fixture->output, &share, report_of('n'), LIMIT / 4, &news);
    release_stderr(fixture, said, sizeof(said));
    bool known = lh_output_knows(fixture->output, &news, frame.id, &found);
    lh_id_set_clear(&news.ids);
    assert_int_equal(refused, -EOVERFLOW);
    assert_false(known);
}

static void test_what_could_not_be_written_takes_nothing_of_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct lh_bucket share = {0};
    char said[4096];
    fixture->header->options.output_limit = LIMIT;
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "no/such/place");
    capture_stderr(fixture);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write_one(fixture->output, &share, 'a'), -ENOENT);
    release_stderr(fixture, said, sizeof(said));
}

/* A sink of JSON whose reports are over the limit by now, and the record that they are of. */
static struct lh_sink *flooded_sink(struct fixture *fixture, struct lh_report *report)
{
    fixture->header->options.output_limit = 1024;
    fixture->header->options.format = LH_FORMAT_JSON;
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "limited");
    const struct lh_sink_setup with = {.header = fixture->header, .output = fixture->output};
    struct lh_sink *sink = lh_sink_new(&with);
    int error = 0;
    for (int i = 0; i < 1000 && error == 0; i++)
        error = lh_sink_report(sink, report);
    assert_int_equal(error, -EOVERFLOW);
    return sink;
}

/* As many loops as a program has at once: more may be a flood, too. */
static void test_loops_and_the_summary_are_told_over_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct lh_record *record = calloc(1, sizeof(*record));
    struct lh_report report = {.record = record};
    char said[4096];
    int loops = 0;
    record->type = LH_EVENT_BLOCK;
    capture_stderr(fixture);
    struct lh_sink *sink = flooded_sink(fixture, &report);
    record->type = LH_EVENT_LOOP;
    while (loops < 10000 && lh_sink_report(sink, &report) == 0)
        loops++;
    int summary = lh_sink_summary(sink, 0, &(struct lh_quiet){0});
    release_stderr(fixture, said, sizeof(said));
    lh_sink_free(sink);
    free(record);
    assert_in_range(loops, 4096, 9999);
    assert_int_equal(summary, 0);
}

/* The library's own, where there is no collector. */
static void test_raw_lines_have_the_same_limit(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    unsigned written = 0;
    (void)snprintf(path, sizeof(path), "%s/limited", fixture->directory);
    wish(fixture, LH_OUTPUT_PATH, path);
    fixture->header->options.output_limit = LIMIT;
    lh_raw_output_begin();
    int64_t begin_ms = now_ms();
    while (written < 10000 &&
           lh_raw_output_write(fixture->header, report_of('a'), BYTES, false) == 0)
        written++;
    size_t most = LIMIT + (size_t)(now_ms() - begin_ms + 1) * LIMIT / 1000;
    int over = lh_raw_output_write(fixture->header, report_of('a'), LIMIT / 4, false);
    int always = lh_raw_output_write(fixture->header, report_of('a'), LIMIT / 4, true);
    assert_in_range(written * BYTES, LIMIT - BYTES, most);
    assert_int_equal(over, -EOVERFLOW);
    assert_int_equal(always, 0);
    assert_int_equal(size_of(fixture), written * BYTES + LIMIT / 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_over_the_limit_is_not_written_and_said_once),
        TEST(test_there_is_room_again_a_moment_later),
        TEST(test_a_line_that_must_be_written_is_over_the_limit_too),
        TEST(test_a_flood_of_one_program_leaves_another_its_part),
        TEST(test_news_of_what_was_left_out_are_not_known),
        TEST(test_what_could_not_be_written_takes_nothing_of_the_limit),
        TEST(test_loops_and_the_summary_are_told_over_the_limit),
        TEST(test_raw_lines_have_the_same_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
