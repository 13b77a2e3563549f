/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that have a number: their frames are looked at until they are in the file, and again when
 * it is another one. */
#include "output_to_test.h"

#include "collect/sink/sink_format.h"
#include "common/call_ids.h"

#define BUFFER_BYTES 65536u

struct writer {
    struct fixture *fixture;
    void *sink;
    struct lh_record *record;
    struct lh_frame frame;
    struct lh_report report;
    char buffer[BUFFER_BYTES];
};

static struct writer *open_writer(void **state)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    assert_non_null(writer);
    writer->fixture = *state;
    writer->fixture->output = open_in_directory(writer->fixture, LH_OUTPUT_PATH, "out.jsonl");
    writer->fixture->header->options.stacks = LH_STACKS_ONCE;
    const struct lh_sink_setup setup = {.header = writer->fixture->header,
                                        .output = writer->fixture->output};
    writer->sink = lh_sink_json.new(&setup);
    writer->record = calloc(1, sizeof(*writer->record));
    assert_non_null(writer->sink);
    assert_non_null(writer->record);
    writer->record->type = LH_EVENT_BLOCK;
    writer->record->call = LH_CALL_nanosleep;
    writer->record->group = LH_GROUP_SLEEP;
    writer->frame = (struct lh_frame){.lang = LH_LANG_NATIVE, .function = "work"};
    writer->report = (struct lh_report){
        .record = writer->record, .frames = &writer->frame, .frame_count = 1, .stack_number = 7};
    return writer;
}

static void close_writer(struct writer *writer)
{
    lh_sink_json.free(writer->sink);
    free(writer->record);
    free(writer);
}

/* Writes the report; were there lines of its stack before it? */
static bool has_stack(struct writer *writer, bool arrives)
{
    size_t length =
        lh_sink_json.report(writer->sink, &writer->report, writer->buffer, BUFFER_BYTES);
    assert_in_range(length, 1, BUFFER_BYTES - 1);
    writer->buffer[length] = '\0';
    assert_non_null(strstr(writer->buffer, "\"type\":\"block\""));
    if (arrives)
        assert_int_equal(lh_output_write_report(writer->fixture->output, NULL, writer->buffer,
                                                length, lh_sink_json.news(writer->sink)),
                         0);
    return strstr(writer->buffer, "\"type\":\"stack\"") != NULL;
}

static void test_a_stack_is_written_until_it_has_arrived(void **state)
{
    struct writer *writer = open_writer(state);
    assert_true(has_stack(writer, false));
    assert_true(has_stack(writer, false));
    assert_true(has_stack(writer, true));
    for (int i = 0; i < 3; i++)
        assert_false(has_stack(writer, true));
    close_writer(writer);
}

static void test_frames_of_a_known_number_are_not_looked_at_and_those_of_others_are(void **state)
{
    struct writer *writer = open_writer(state);
    (void)has_stack(writer, true);
    (void)has_stack(writer, true); /* from here on it is known */
    writer->frame.function = "never looked at";
    assert_false(has_stack(writer, true));
    writer->frame.function = "other work";
    writer->report.stack_number += 256; /* it may have the same place in the table */
    assert_true(has_stack(writer, true));
    assert_non_null(strstr(writer->buffer, "other work"));
    writer->report.stack_number = 0;
    writer->frame.function = "work without a number";
    assert_true(has_stack(writer, true));
    close_writer(writer);
}

static void test_a_file_that_is_emptied_gets_its_stacks_again(void **state)
{
    struct writer *writer = open_writer(state);
    for (int i = 0; i < 3; i++)
        (void)has_stack(writer, true);
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/out.jsonl", writer->fixture->directory);
    assert_int_equal(truncate(path, 0), 0);
    size_t length =
        lh_sink_json.report(writer->sink, &writer->report, writer->buffer, BUFFER_BYTES);
    assert_int_equal(lh_output_write_report(writer->fixture->output, NULL, writer->buffer, length,
                                            lh_sink_json.news(writer->sink)),
                     -ESTALE); /* which is when it is noticed */
    assert_true(has_stack(writer, true));
    close_writer(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_stack_is_written_until_it_has_arrived, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_frames_of_a_known_number_are_not_looked_at_and_those_of_others_are, setup,
            teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_emptied_gets_its_stacks_again, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
