/* SPDX-License-Identifier: Apache-2.0 */
/* The collector and programs that lie: in messages, rings, headers and records. */
#include "fake_program.h"

static void put_damaged(struct lh_ring *ring, void (*damage)(struct lh_record *record))
{
    struct lh_record *record = fill_record(ring, 666);
    if (record == NULL) {
        fail_msg("the queue is full");
        return;
    }
    damage(record);
    lh_ring_commit(ring, record);
    wake_reader(ring);
}

static void damage_stack(struct lh_record *record)
{
    record->stack_length = UINT32_MAX;
}

static void damage_strings(struct lh_record *record)
{
    record->python_count = 1;
    record->strings_length = 16;
    record->python[0].file = 9999;
}

static void damage_call(struct lh_record *record)
{
    record->call = lh_call_count();
}

static void damage_thread(struct lh_record *record)
{
    memset(record->thread, 'x', sizeof(record->thread));
}

static void damage_resource(struct lh_record *record)
{
    record->resource.length = 65535;
}

static void test_damaged_records_are_dropped_and_counted(void **state)
{
    static void (*const damages[])(struct lh_record *) = {damage_stack, damage_strings, damage_call,
                                                          damage_thread, damage_resource};
    const uint32_t damaged = sizeof(damages) / sizeof(damages[0]);
    struct fixture *fixture = *state;
    struct lh_run_totals totals;
    attach_us(fixture);
    for (uint32_t i = 0; i < damaged; i++)
        put_damaged(fixture->ring, damages[i]);
    put_block(fixture->ring, 7);
    wait_for_word(&fixture->ring->written, damaged + 1);
    assert_int_equal(lines_with(fixture, "\"id\":666,"), 0);
    assert_int_equal(lines_with(fixture, "\"id\":7,"), 1);
    lh_collector_count(fixture->collector, &totals);
    assert_int_equal(totals.dropped, damaged);
    lh_collector_finish(fixture->collector, 5000);
    assert_non_null(strstr(output_of(fixture), "\"dropped\":5,"));
}

static void test_ring_that_lies_about_its_head_cannot_hold_up_the_end(void **state)
{
    struct fixture *fixture = *state;
    attach_us(fixture);
    put_block(fixture->ring, 1);
    wait_for_word(&fixture->ring->written, 1);
    atomic_store(&fixture->ring->head, UINT64_MAX / 2);
    int64_t start = now_ms();
    lh_collector_finish(fixture->collector, 5000);
    assert_in_range(now_ms() - start, 0, 4000);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
}

/* The collector drops the connection and has nothing to serve. */

static void assert_refused(struct fixture *fixture, const void *bytes, size_t length,
                           const int *fds, size_t fd_count)
{
    int ends[2];
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(send_message(ends[0], bytes, length, fds, fd_count), 0);
    assert_int_equal(lh_collector_adopt(fixture->collector, ends[1]), 0);
    serve_until(fixture, is_idle);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    assert_int_equal(atomic_load(&fixture->ring->attached), 0);
    close(ends[0]);
}

static void assert_ring_refused(struct fixture *fixture, int ring_fd, int other_fd)
{
    const struct lh_hello hello = {.magic = LH_RING_MAGIC, .bytes = sizeof(struct lh_ring)};
    const int fds[] = {ring_fd, other_fd};
    assert_refused(fixture, &hello, sizeof(hello), fds, 2);
}

static void test_messages_that_are_no_hello_are_refused(void **state)
{
    struct fixture *fixture = *state;
    const char junk[64] = "GET / HTTP/1.1\r\n";
    const struct lh_hello other_layout = {.magic = LH_RING_MAGIC, .bytes = 1};
    const struct lh_hello hello = {.magic = LH_RING_MAGIC, .bytes = sizeof(struct lh_ring)};
    const int fds[] = {fixture->ring_fd, fixture->ring_fd, fixture->ring_fd};
    assert_refused(fixture, junk, sizeof(junk), NULL, 0);
    assert_refused(fixture, junk, 3, NULL, 0);
    assert_refused(fixture, &other_layout, sizeof(other_layout), NULL, 0);
    assert_refused(fixture, &hello, sizeof(hello), fds, 3);
}

static void test_rings_that_could_harm_us_are_refused(void **state)
{
    struct fixture *fixture = *state;
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    int unsealed = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int small = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int blank = memfd_create("blank", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const char magic[] = "not a ring";
    assert_int_equal(ftruncate(unsealed, sizeof(struct lh_ring)), 0);
    assert_int_equal(pwrite(unsealed, fixture->ring, sizeof(struct lh_ring), 0),
                     sizeof(struct lh_ring));
    assert_int_equal(ftruncate(small, 4096), 0);
    assert_int_equal(fcntl(small, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    assert_int_equal(ftruncate(blank, sizeof(struct lh_ring)), 0);
    assert_int_equal(pwrite(blank, magic, sizeof(magic), 0), sizeof(magic));
    assert_int_equal(fcntl(blank, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    assert_ring_refused(fixture, unsealed, maps_fd);
    assert_ring_refused(fixture, small, maps_fd);
    assert_ring_refused(fixture, blank, maps_fd);
    assert_ring_refused(fixture, maps_fd, maps_fd);
    close(unsealed);
    close(small);
    close(blank);
    close(maps_fd);
}

/* The program reads it itself by now: nothing is to be told twice. */
static void test_a_ring_that_its_program_reads_is_let_be(void **state)
{
    struct fixture *fixture = *state;
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    atomic_store(&fixture->ring->reader, LH_READER_IS_PROGRAM);
    put_block(fixture->ring, 1);
    assert_ring_refused(fixture, fixture->ring_fd, maps_fd);
    assert_int_equal(lines_with(fixture, "\"id\":1,"), 0);
    assert_int_equal(atomic_load(&fixture->ring->reader), LH_READER_IS_PROGRAM);
    close(maps_fd);
}

/* As of a program that sees no /proc. */
static void test_a_ring_without_a_map_is_served(void **state)
{
    struct fixture *fixture = *state;
    const struct lh_hello hello = {.magic = LH_RING_MAGIC, .bytes = sizeof(struct lh_ring)};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(send_message(ends[0], &hello, sizeof(hello), &fixture->ring_fd, 1), 0);
    assert_int_equal(lh_collector_adopt(fixture->collector, ends[1]), 0);
    serve_until(fixture, is_attached);
    put_block(fixture->ring, 1);
    wait_for_word(&fixture->ring->written, 1);
    assert_int_equal(lines_with(fixture, "\"id\":1,"), 1);
    close(ends[0]);
    lh_collector_finish(fixture->collector, 5000);
    assert_int_equal(lines_with(fixture, "\"type\":\"summary\""), 1);
}

/* Of a library with more calls or fewer: its numbers mean other calls than ours. */
static void test_a_ring_of_another_table_of_calls_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    fixture->ring->call_count++;
    assert_ring_refused(fixture, fixture->ring_fd, maps_fd);
    fixture->ring->call_count--;
    close(maps_fd);
}

static void test_only_a_map_is_taken_for_a_map(void **state)
{
    struct fixture *fixture = *state;
    int status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char name[128];
    (void)snprintf(name, sizeof(name), "%s/maps", fixture->directory);
    int file_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file_fd >= 0);
    assert_ring_refused(fixture, fixture->ring_fd, file_fd);
    assert_ring_refused(fixture, fixture->ring_fd, ends[0]);
    assert_ring_refused(fixture, fixture->ring_fd, status_fd);
    close(ends[0]);
    close(ends[1]);
    close(file_fd);
    close(status_fd);
}

static void assert_header_refused(struct fixture *fixture)
{
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    assert_ring_refused(fixture, fixture->ring_fd, maps_fd);
    close(maps_fd);
}

static void test_header_strings_without_an_end_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lh_ring *ring = fixture->ring;
    const struct {
        char *string;
        size_t size;
    } strings[] = {
        {ring->exe, sizeof(ring->exe)},
        {ring->cwd, sizeof(ring->cwd)},
        {ring->warnings, sizeof(ring->warnings)},
        {ring->options.output, sizeof(ring->options.output)},
    };
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        char *saved = malloc(strings[i].size);
        memcpy(saved, strings[i].string, strings[i].size);
        memset(strings[i].string, 'a', strings[i].size);
        assert_header_refused(fixture);
        memcpy(strings[i].string, saved, strings[i].size);
        free(saved);
    }
}

static void test_options_out_of_range_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lh_options *options = &fixture->ring->options;
    struct lh_options sound = *options;
    options->stack_frames = LH_STACK_FRAMES_MAX + 1;
    assert_header_refused(fixture);
    *options = sound;
    options->format = 200;
    assert_header_refused(fixture);
    *options = sound;
    options->output_kind = 200;
    assert_header_refused(fixture);
    *options = sound;
    attach_us(fixture); /* and the same ring is served once it is sound */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_damaged_records_are_dropped_and_counted),
        TEST(test_ring_that_lies_about_its_head_cannot_hold_up_the_end),
        TEST(test_messages_that_are_no_hello_are_refused),
        TEST(test_rings_that_could_harm_us_are_refused),
        TEST(test_a_ring_that_its_program_reads_is_let_be),
        TEST(test_a_ring_without_a_map_is_served),
        TEST(test_a_ring_of_another_table_of_calls_is_refused),
        TEST(test_only_a_map_is_taken_for_a_map),
        TEST(test_header_strings_without_an_end_are_refused),
        TEST(test_options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
