/* SPDX-License-Identifier: Apache-2.0 */
/* Text reports, word for word: what a person reads for each kind of event. */
#include "text_report.h"

static void test_block_reads_as_in_the_design(void **state)
{
    const struct lh_frame frames[] = {PYTHON("handler", "app.py", 5),
                                      PYTHON("dispatch", "app.py", 8)};
    block(*state);
    assert_string_equal(reported(*state, frames, COUNT(frames)),
                        CLOCK_NANO_BLOCK "> app.py:5  handler            time.sleep(0.3)\n"
                                         "  app.py:8  dispatch           return await "
                                         "handler(request)\n");
}

static void test_other_thread_is_named(void **state)
{
    struct lh_record *record = block(*state);
    record->tid = 4250;
    (void)lh_text_copy(record->thread, sizeof(record->thread), "worker\033[2J");
    assert_string_equal(reported_line(*state), "loophound[4242] worker?[2J blocked 301.2 ms in "
                                               "clock_nanosleep (sleep 300 ms)  #17\n");
}

static void test_strict_says_could_block(void **state)
{
    struct lh_record *record = block(*state);
    record->reason = LH_REASON_STRICT;
    record->call = LH_CALL_read;
    record->group = LH_GROUP_FILE;
    record->elapsed_ns = 12345;
    set_text(&record->resource, LH_RESOURCE_FILE, "/etc/x");
    assert_string_equal(reported_line(*state),
                        HEAD "could block: read took 0.01 ms (file /etc/x)  #17\n");
}

static void set_peer(struct lh_resource *resource, int nonblocking)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(5432)};
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    resource->kind = LH_RESOURCE_SOCKET;
    resource->fd = 7;
    resource->nonblocking = (int8_t)nonblocking;
    resource->length = sizeof(peer);
    memcpy(resource->text, &peer, sizeof(peer));
}

static struct lh_record *recv_block(struct fixture *fixture)
{
    struct lh_record *record = block(fixture);
    record->call = LH_CALL_recv;
    record->group = LH_GROUP_NETWORK;
    set_peer(&record->resource, 0);
    return record;
}

static void test_blocked_recv_names_the_peer_and_the_missing_flag(void **state)
{
    recv_block(*state);
    assert_string_equal(reported_line(*state),
                        HEAD "blocked 301.2 ms in recv (socket to 127.0.0.1:5432, not "
                             "O_NONBLOCK)  #17\n");
}

static void test_nonblocking_and_unknown_sockets_are_named_as_they_are(void **state)
{
    struct lh_record *record = recv_block(*state);
    record->resource.nonblocking = 1;
    assert_string_equal(reported_line(*state),
                        HEAD "blocked 301.2 ms in recv (socket to 127.0.0.1:5432)  #17\n");
    record->resource.length = 0;
    record->resource.nonblocking = -1;
    assert_string_equal(reported_line(*state), HEAD "blocked 301.2 ms in recv (socket 7)  #17\n");
}

static void test_failed_call_names_its_error(void **state)
{
    struct lh_record *record = recv_block(*state);
    record->resource.nonblocking = 1;
    record->error = ETIMEDOUT;
    assert_string_equal(reported_line(*state),
                        HEAD "blocked 301.2 ms in recv (socket to 127.0.0.1:5432), ETIMEDOUT"
                             "  #17\n");
}

static void test_each_resource_has_its_words(void **state)
{
    static const struct {
        enum lh_resource_kind kind;
        enum lh_group group;
        int64_t number;
        const char *text;
        const char *words;
    } rows[] = {
        {LH_RESOURCE_NONE, LH_GROUP_OTHER, 0, "", ""},
        {LH_RESOURCE_NAME, LH_GROUP_DNS, 0, "example.org", " (host example.org)"},
        {LH_RESOURCE_LOCK, LH_GROUP_LOCK, 0x7f00dead, "", " (lock 0x7f00dead)"},
        {LH_RESOURCE_PID, LH_GROUP_PROCESS, 123, "", " (pid 123)"},
        {LH_RESOURCE_PID, LH_GROUP_PROCESS, -1, "", " (any child)"},
        {LH_RESOURCE_PID, LH_GROUP_PROCESS, -5, "", " (process group 5)"},
        {LH_RESOURCE_FILE, LH_GROUP_FILE, 0, "pipe:[77]", " (pipe:[77])"},
        {LH_RESOURCE_FILE, LH_GROUP_FILE, 0, "/a\nb\x80", " (file /a?b?)"},
        {LH_RESOURCE_FILE, LH_GROUP_FILE, 0, "", " (descriptor 9)"},
        {LH_RESOURCE_DURATION, LH_GROUP_WAIT, -1, "", " (for ever)"},
        {LH_RESOURCE_DURATION, LH_GROUP_WAIT, 1500000000, "", " (time-out 1.5 s)"},
        {LH_RESOURCE_DURATION, LH_GROUP_SLEEP, 2000000000, "", " (sleep 2 s)"},
        {LH_RESOURCE_DURATION, LH_GROUP_SLEEP, 1500000, "", " (sleep 1.5 ms)"},
        {LH_RESOURCE_DURATION, LH_GROUP_SLEEP, 250000, "", " (sleep 250 us)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[256];
        struct lh_record *record = block(*state);
        set_text(&record->resource, rows[i].kind, rows[i].text);
        record->resource.number = rows[i].number;
        record->resource.fd = 9;
        record->group = rows[i].group;
        (void)snprintf(expected, sizeof(expected),
                       HEAD "blocked 301.2 ms in clock_nanosleep%s  #17\n", rows[i].words);
        assert_string_equal(reported_line(*state), expected);
    }
}

static void test_long_block_is_told_in_seconds(void **state)
{
    block(*state)->elapsed_ns = 12340 * MS;
    assert_string_equal(reported_line(*state),
                        HEAD "blocked 12.3 s in clock_nanosleep (sleep 300 ms)  #17\n");
}

static void test_call_in_flight_shows_its_stack_once(void **state)
{
    const struct lh_frame frames[] = {PYTHON("handler", "app.py", 5)};
    struct lh_record *record = recv_block(*state);
    record->id = 18;
    record->type = LH_EVENT_INFLIGHT;
    record->elapsed_ns = 100400000;
    assert_string_equal(reported(*state, frames, 1),
                        HEAD "still blocked after 100 ms in recv (socket to 127.0.0.1:5432, not "
                             "O_NONBLOCK)  #18\n"
                             "> app.py:5  handler            time.sleep(0.3)\n");
    record->elapsed_ns = 200 * MS; /* not a second yet: once is enough */
    assert_string_equal(reported(*state, frames, 1), "");
    record->elapsed_ns = 1600 * MS;
    assert_string_equal(reported(*state, frames, 1),
                        HEAD "still blocked after 1600 ms in recv (socket to 127.0.0.1:5432, not "
                             "O_NONBLOCK)  #18\n");
    record->type = LH_EVENT_BLOCK;
    record->elapsed_ns = 250 * MS;
    assert_string_equal(reported(*state, frames, 1),
                        HEAD "blocked 250.0 ms in recv (socket to 127.0.0.1:5432, not "
                             "O_NONBLOCK)  #18\n");
    /* The same number once more would be another call: what has returned is forgotten. */
    assert_non_null(strstr(reported(*state, frames, 1), "handler"));
}

static void test_loop_and_start_are_silent_but_for_warnings(void **state)
{
    struct fixture *fixture = *state;
    (void)lh_text_copy(fixture->header->warnings, sizeof(fixture->header->warnings),
                       "statically linked: x\nno Python 3.99\n");
    block(fixture)->type = LH_EVENT_LOOP;
    assert_string_equal(reported_line(fixture), "loophound[4242] warning: statically linked: x\n"
                                                "loophound[4242] warning: no Python 3.99\n");
}

static void test_reports_over_the_rate_are_said(void **state)
{
    block(*state)->skipped = 12;
    assert_string_equal(reported_line(*state),
                        CLOCK_NANO_BLOCK "  12 more since the last one, over the rate of 60/min\n");
}

static void test_summary_is_one_line_once_something_was_reported(void **state)
{
    struct fixture *fixture = *state;
    open_sink(fixture);
    atomic_store(&fixture->header->totals.loops, 1);
    atomic_store(&fixture->header->totals.blocks, 3);
    atomic_store(&fixture->header->totals.blocked_ns, 812345678);
    assert_int_equal(lh_sink_summary(fixture->sink, 0, &(struct lh_quiet){0}), 0);
    assert_string_equal(written(fixture), "");
    block(fixture);
    reported_line(fixture);
    assert_int_equal(lh_sink_summary(fixture->sink, 0, &(struct lh_quiet){0}), 0);
    assert_string_equal(written(fixture), "loophound[4242] 3 blocks and 0 stalls on 1 loop thread, "
                                          "812.3 ms in all; 0 reports dropped\n");
}

static void test_summary_is_told_when_reports_were_dropped(void **state)
{
    struct fixture *fixture = *state;
    open_sink(fixture);
    atomic_store(&fixture->header->totals.loops, 2);
    atomic_store(&fixture->header->totals.dropped, 1);
    assert_int_equal(lh_sink_summary(fixture->sink, 0, &(struct lh_quiet){0}), 0);
    assert_string_equal(written(fixture),
                        "loophound[4242] 0 blocks and 0 stalls on 2 loop threads, "
                        "0.0 ms in all; 1 report dropped\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_block_reads_as_in_the_design),
        TEST(test_other_thread_is_named),
        TEST(test_strict_says_could_block),
        TEST(test_blocked_recv_names_the_peer_and_the_missing_flag),
        TEST(test_nonblocking_and_unknown_sockets_are_named_as_they_are),
        TEST(test_failed_call_names_its_error),
        TEST(test_each_resource_has_its_words),
        TEST(test_long_block_is_told_in_seconds),
        TEST(test_call_in_flight_shows_its_stack_once),
        TEST(test_loop_and_start_are_silent_but_for_warnings),
        TEST(test_reports_over_the_rate_are_said),
        TEST(test_summary_is_one_line_once_something_was_reported),
        TEST(test_summary_is_told_when_reports_were_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
