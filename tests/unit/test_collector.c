/* SPDX-License-Identifier: Apache-2.0 */
/* The collector and the lives of programs: attach, run, close, die, exec; slow outputs. */
#include "collect/link/peer.h"
#include "collect/link/watched.h"
#include "collect/report/reporter.h"
#include "collect/sys/clock.h"
#include "fake_program.h"

static void test_records_come_out_as_lines_in_order(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    for (uint64_t id = 1; id <= 5; id++)
        assert_true(put_block(fixture->ring, id));
    wait_for_word(&fixture->ring->written, 5);
    assert_int_equal(lines_with(fixture, "\"type\":\"start\""), 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), 5);
    const char *at = output_of(fixture);
    for (int id = 1; id <= 5 && at != NULL; id++) {
        char part[32];
        (void)snprintf(part, sizeof(part), "\"id\":%d,", id);
        at = strstr(at, part);
        assert_non_null(at);
    }
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 0);
}

static void test_full_queue_is_drained_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    uint32_t put = 0;
    while (put_block(fixture->ring, put + 1))
        put++;
    assert_int_equal(put, LH_RING_CELLS);
    attach_us(fixture);
    wait_for_word(&fixture->ring->written, put);
    for (uint32_t i = 0; i < 3 * LH_RING_CELLS; i++) {
        assert_true(put_block(fixture->ring, ++put));
        wait_for_word(&fixture->ring->written, put);
    }
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), put);
}

static void put_awaiting(struct fixture *fixture, uint64_t id, uint32_t tid)
{
    struct lh_record *record = fill_record(fixture->ring, id);
    record->tid = tid;
    record->awaits_victims = 1;
    lh_ring_commit(fixture->ring, record);
    wake_reader(fixture->ring);
}

static void put_victims(struct fixture *fixture, uint32_t tid, uint32_t ready)
{
    struct lh_record *record = fill_record(fixture->ring, 0);
    record->type = LH_EVENT_VICTIMS;
    record->tid = tid;
    record->ready = ready;
    lh_ring_commit(fixture->ring, record);
    wake_reader(fixture->ring);
}

static void test_a_report_waits_for_the_victims_of_its_own_thread(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    put_awaiting(fixture, 1, 11);
    put_awaiting(fixture, 2, 12);
    put_victims(fixture, 12, 4);
    put_victims(fixture, 11, 0);
    put_awaiting(fixture, 3, 11);
    put_victims(fixture, 11, LH_NOT_COUNTED);
    wait_for_word(&fixture->ring->written, 6);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), 3);
    assert_int_equal(lines_with(fixture, "\"victims\":{\"ready\":4,\"at_least\":false,"
                                         "\"waited_ms\":250.000}"),
                     1);
    assert_int_equal(lines_with(fixture, "\"victims\":{\"ready\":0,\"at_least\":false,"
                                         "\"waited_ms\":0.000}"),
                     1);
    assert_int_equal(lines_with(fixture, "\"victims\":null"), 1);
}

static void test_reports_whose_victims_never_come_are_told_and_keep_no_room(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    put_awaiting(fixture, 1, 11);
    wait_for_word(&fixture->ring->written, 1); /* by itself */
    uint32_t put = 1;
    for (; put < 64; put++) {
        put_awaiting(fixture, put + 1, 100 + put);
        wait_for_word(&fixture->ring->written,
                      put < LH_REPORTER_HELD ? 1 : put + 1 - LH_REPORTER_HELD);
    }
    wait_for_word(&fixture->ring->written, put);
    assert_int_equal(lines_with(fixture, "\"victims\":null"), put);
}

static void test_end_of_the_program_tells_what_was_held(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    put_awaiting(fixture, 1, 11);
    atomic_store(&fixture->ring->closing, 1);
    atomic_fetch_add(&fixture->ring->wake, 1);
    wake_reader(fixture->ring);
    wait_for_word(&fixture->ring->drained, 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
}

/* The collector ends, the program lives on and finds another one. */
static void replace_collector(struct fixture *fixture)
{
    lh_collector_finish(fixture->collector, 5000);
    lh_collector_free(fixture->collector);
    close(fixture->program_fd);
    fixture->collector = lh_collector_new();
    assert_int_equal(atomic_load(&fixture->ring->attached), 0);
}

static void test_a_second_reader_goes_on_where_the_first_stopped(void **state)
{
    struct fixture *fixture = *state;
    uint32_t put = 0;
    attach_us(fixture);
    while (put < LH_RING_CELLS + 5) {
        assert_true(put_block(fixture->ring, ++put));
        wait_for_word(&fixture->ring->written, put);
    }
    replace_collector(fixture);
    put_block(fixture->ring, ++put);
    attach_us(fixture);
    put_block(fixture->ring, ++put);
    wait_for_word(&fixture->ring->written, put);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), put);
}

static void test_a_report_that_a_dead_reader_took_is_counted_as_lost(void **state)
{
    struct fixture *fixture = *state;
    struct lh_run_totals totals;
    struct lh_record *copy = malloc(sizeof(*copy));
    uint64_t position = 0;
    put_block(fixture->ring, 1);
    put_block(fixture->ring, 2);
    assert_true(lh_ring_take(fixture->ring, &position, copy));
    free(copy);
    attach_us(fixture);
    wait_for_word(&fixture->ring->written, 2);
    assert_int_equal(lines_with(fixture, "\"id\":2,"), 1);
    lh_collector_count(fixture->collector, &totals);
    assert_int_equal(totals.dropped, 1);
}

static void test_closing_writes_the_summary_and_says_drained(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    put_block(fixture->ring, 1);
    atomic_store(&fixture->ring->closing, 1);
    atomic_fetch_add(&fixture->ring->wake, 1);
    wake_reader(fixture->ring);
    wait_for_word(&fixture->ring->drained, 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
    assert_non_null(strstr(output_of(fixture), "\"blocks\":1,"));
    lh_collector_finish(fixture->collector, 5000);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
}

static void test_end_of_the_connection_alone_is_not_the_end(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    close(fixture->program_fd);
    fixture->program_fd = -1;
    serve_now(fixture);
    assert_true(put_block(fixture->ring, 1));
    wait_for_word(&fixture->ring->written, 1);
    assert_false(lh_collector_idle(fixture->collector));
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 0);
}

/* A child that attaches the ring over the listening socket, puts two blocks, leaves a record begun,
 * and then does `end` once it may. */
static pid_t start_child(struct fixture *fixture, int go_fd, void (*end)(void))
{
    pid_t child = fork();
    if (child != 0)
        return child;
    char byte;
    fixture->ring->pid = (uint32_t)getpid();
    int fd = connect_to(fixture->socket_path);
    if (fd < 0 || say_hello(fd, fixture->ring_fd) != 0)
        _exit(1);
    put_block(fixture->ring, 1);
    put_block(fixture->ring, 2);
    lh_ring_reserve(fixture->ring, 0);
    if (read(go_fd, &byte, 1) != 1)
        _exit(2);
    end();
    _exit(0);
}

static void die(void)
{
    _exit(0);
}

static void become_cat(void)
{
    execl("/bin/cat", "cat", "/dev/null", "-", (char *)NULL);
}

static bool has_summary(struct fixture *fixture)
{
    return lines_with(fixture, "\"type\":\"summary\"") == 1;
}

static void test_dead_child_is_drained_and_summed_up(void **state)
{
    struct fixture *fixture = *state;
    struct lh_run_totals totals;
    int go[2];
    int status;
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    listen_here(fixture);
    pid_t child = start_child(fixture, go[0], die);
    serve_until(fixture, is_attached);
    assert_int_equal(write(go[1], "x", 1), 1);
    serve_until(fixture, has_summary);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), 2);
    assert_non_null(strstr(output_of(fixture), "\"dropped\":1,")); /* the one never committed */
    lh_collector_finish(fixture->collector, 5000);
    lh_collector_count(fixture->collector, &totals);
    assert_int_equal(totals.processes, 1);
    assert_int_equal(totals.blocks, 2);
    assert_int_equal(totals.dropped, 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
    close(go[0]);
    close(go[1]);
}

static void test_exec_ends_the_image_while_the_pid_lives_on(void **state)
{
    struct fixture *fixture = *state;
    int go[2];
    int input[2];
    int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    dup2(input[0], STDIN_FILENO);
    listen_here(fixture);
    pid_t child = start_child(fixture, go[0], become_cat);
    dup2(saved, STDIN_FILENO);
    serve_until(fixture, is_attached);
    assert_int_equal(write(go[1], "x", 1), 1);
    serve_until(fixture, has_summary);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* cat still waits for its input */
    close(input[1]);
    close(input[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(saved);
    close(go[0]);
    close(go[1]);
}

static void test_a_pid_is_counted_once_however_often_it_says_hello(void **state)
{
    struct fixture *fixture = *state;
    listen_here(fixture);
    for (int i = 0; i < 3; i++) {
        int fd = connect_to(fixture->socket_path);
        assert_true(fd >= 0);
        assert_int_equal(say_hello(fd, -1), 0);
        close(fd);
        serve_until(fixture, one_process_is_counted);
    }
    fixture->program_fd = connect_to(fixture->socket_path);
    assert_int_equal(say_hello(fixture->program_fd, fixture->ring_fd), 0);
    serve_until(fixture, is_attached);
    assert_true(one_process_is_counted(fixture));
}

static void test_finish_takes_what_nobody_has_served_yet(void **state)
{
    struct fixture *fixture = *state;
    listen_here(fixture);
    fixture->program_fd = connect_to(fixture->socket_path);
    assert_int_equal(say_hello(fixture->program_fd, fixture->ring_fd), 0);
    put_block(fixture->ring, 1);
    lh_collector_finish(fixture->collector, 5000);
    assert_int_equal(lines_with(fixture, "\"type\":\"block\""), 1);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
    assert_int_equal(atomic_load(&fixture->ring->attached), 0);
    assert_int_equal(atomic_load(&fixture->ring->drained), 1);
}

/* The wait for its thread is as long as it is asked for, and not longer than the thread. */
static void test_thread_of_a_ring_is_waited_for_until_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    struct lh_watched *watched = fixture->collector->peers->watched;
    int64_t deadline_ns = lh_monotonic_ns() + 700 * LH_NS_PER_MS;
    assert_int_equal(lh_watched_wait(watched, deadline_ns), -ETIMEDOUT);
    assert_true(lh_monotonic_ns() >= deadline_ns);
    assert_false(lh_watched_has_ended(watched));

    lh_watched_stop(watched);
    assert_int_equal(lh_watched_wait(watched, lh_monotonic_ns() + PATIENCE_MS * LH_NS_PER_MS), 0);
    assert_true(lh_watched_has_ended(watched));
    assert_int_equal(lh_watched_wait(watched, 0), 0);
}

static void test_socket_is_for_its_owner_only_and_removed_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;
    listen_here(fixture);
    assert_int_equal(stat(fixture->socket_path, &status), 0);
    /* Programs of root may have given up their rights; its directory keeps the name secret. */
    assert_int_equal(status.st_mode & 0777, geteuid() == 0 ? 0666 : 0600);
    lh_collector_free(fixture->collector);
    assert_int_equal(stat(fixture->socket_path, &status), -1);
    fixture->collector = lh_collector_new();
}

static void test_text_and_a_lost_output_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct lh_run_totals totals;
    (void)lh_text_copy(fixture->ring->options.output, sizeof(fixture->ring->options.output),
                       "/dev/full");
    fixture->ring->options.format = LH_FORMAT_TEXT;
    attach_us(fixture);
    put_block(fixture->ring, 1);
    put_block(fixture->ring, 2);
    wait_for_word(&fixture->ring->written, 2);
    lh_collector_count(fixture->collector, &totals);
    assert_int_equal(totals.dropped, 2);
    assert_int_equal(totals.blocks, 2);
}

static void test_slow_output_of_one_program_does_not_hold_up_another(void **state)
{
    struct fixture *fixture = *state;
    static struct fixture other = {.program_fd = -1};
    int ends[2];
    assert_int_equal(pipe(ends), 0); /* nobody reads: it fills up */
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);

    other.collector = fixture->collector;
    make_ring(&other);
    other.ring->options.output_kind = LH_OUTPUT_PATH;
    (void)snprintf(other.ring->options.output, sizeof(other.ring->options.output),
                   "/proc/self/fd/%d", ends[1]);
    attach_us(&other);
    attach_us(fixture);
    for (uint64_t id = 1; id <= LH_RING_CELLS; id++)
        put_block(other.ring, id);
    int64_t start = now_ms();
    put_block(fixture->ring, 1);
    wait_for_word(&fixture->ring->written, 1);
    assert_in_range(now_ms() - start, 0, 3000);
    wait_for_word(&other.ring->written, LH_RING_CELLS);
    struct lh_run_totals totals;
    lh_collector_count(fixture->collector, &totals);
    assert_in_range(totals.dropped, 1, LH_RING_CELLS);
    lh_collector_finish(fixture->collector, 5000);
    close(other.program_fd);
    close(other.ring_fd);
    munmap(other.ring, sizeof(*other.ring));
    close(ends[0]);
    close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_records_come_out_as_lines_in_order),
        TEST(test_full_queue_is_drained_and_goes_on),
        TEST(test_a_report_waits_for_the_victims_of_its_own_thread),
        TEST(test_reports_whose_victims_never_come_are_told_and_keep_no_room),
        TEST(test_end_of_the_program_tells_what_was_held),
        TEST(test_a_second_reader_goes_on_where_the_first_stopped),
        TEST(test_a_report_that_a_dead_reader_took_is_counted_as_lost),
        TEST(test_closing_writes_the_summary_and_says_drained),
        TEST(test_end_of_the_connection_alone_is_not_the_end),
        TEST(test_dead_child_is_drained_and_summed_up),
        TEST(test_exec_ends_the_image_while_the_pid_lives_on),
        TEST(test_a_pid_is_counted_once_however_often_it_says_hello),
        TEST(test_finish_takes_what_nobody_has_served_yet),
        TEST(test_thread_of_a_ring_is_waited_for_until_the_deadline),
        TEST(test_socket_is_for_its_owner_only_and_removed_at_the_end),
        TEST(test_text_and_a_lost_output_are_counted),
        TEST(test_slow_output_of_one_program_does_not_hold_up_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
