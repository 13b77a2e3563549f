/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs: what happens to what cannot be written, and that nothing waits for long. */
#include "output_to_test.h"

static void test_programs_with_the_same_name_share_one_output(void **state)
{
    struct fixture *fixture = *state;
    struct lh_output *first = open_in_directory(fixture, LH_OUTPUT_PATH, "a");
    struct lh_output *again = open_in_directory(fixture, LH_OUTPUT_PATH, "a");
    struct lh_output *other = open_in_directory(fixture, LH_OUTPUT_PATH, "b");
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, other);
    lh_output_put(fixture->outputs, first);
    assert_int_equal(lh_output_write(again, LINE, strlen(LINE)), 0);
    lh_output_put(fixture->outputs, again);
    lh_output_put(fixture->outputs, other);
}

static void test_file_is_made_for_its_owner_only_and_appended_to(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/log", fixture->directory);
    mode_t mask = umask(022);
    for (int i = 0; i < 2; i++) {
        struct lh_output *output = open_in_directory(fixture, LH_OUTPUT_PATH, "log");
        assert_int_equal(lh_output_write(output, LINE, strlen(LINE)), 0);
        lh_output_put(fixture->outputs, output);
    }
    umask(mask);
    assert_content(path, LINE LINE);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_file_that_cannot_be_opened_is_said_once(void **state)
{
    struct fixture *fixture = *state;
    char said[4096];
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "no/such/place");
    capture_stderr(fixture);
    int first = lh_output_write(fixture->output, LINE, strlen(LINE));
    int second = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(first, -ENOENT);
    assert_int_equal(second, -ENOENT);
    assert_non_null(strstr(said, "/no/such/place: No such file or directory; reports are lost"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void test_file_that_was_moved_away_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    char moved[128];
    char path[128];
    (void)snprintf(moved, sizeof(moved), "%s/log.1", fixture->directory);
    (void)snprintf(path, sizeof(path), "%s/log", fixture->directory);
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "log");
    assert_int_equal(lh_output_write(fixture->output, "before\n", 7), 0);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(lh_output_write(fixture->output, "after\n", 6), 0);
    assert_int_equal(lh_output_write(fixture->output, "again\n", 6), 0);
    assert_content(moved, "before\n");
    assert_content(path, "after\nagain\n");
}

/* Into a file that nobody can find, nothing is written as if all were well. */
static void test_directory_that_disappears_is_a_loss(void **state)
{
    struct fixture *fixture = *state;
    char directory[128];
    char path[160];
    char said[4096];
    (void)snprintf(directory, sizeof(directory), "%s/logs", fixture->directory);
    (void)snprintf(path, sizeof(path), "%s/log", directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "logs/log");
    assert_int_equal(lh_output_write(fixture->output, LINE, strlen(LINE)), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    capture_stderr(fixture);
    int first = lh_output_write(fixture->output, LINE, strlen(LINE));
    int second = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(first, -ENOENT);
    assert_int_equal(second, -ENOENT);
    assert_non_null(strstr(said, "reports are lost"));
}

/* Its reader may come later, and is waited for by nobody. */
static void test_fifo_without_a_reader_is_a_loss(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    char said[4096];
    (void)snprintf(path, sizeof(path), "%s/fifo", fixture->directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "fifo");
    int64_t start = now_ms();
    capture_stderr(fixture);
    int result = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(result, -ENXIO);
    assert_in_range(now_ms() - start, 0, 5000);
    assert_non_null(strstr(said, "reports are lost"));
}

static void test_full_disk_is_a_loss_and_not_a_crash(void **state)
{
    struct fixture *fixture = *state;
    struct lh_output_target target;
    char said[4096];
    wish(fixture, LH_OUTPUT_PATH, "/dev/full");
    assert_int_equal(lh_output_target(&target, fixture->header, false), 0);
    fixture->output = lh_output_get(fixture->outputs, &target);
    capture_stderr(fixture);
    int result = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(result, -ENOSPC);
    assert_non_null(strstr(said, "No space left on device"));
}

static void test_closed_pipe_is_a_loss(void **state)
{
    struct fixture *fixture = *state;
    char said[4096];
    int ends[2];
    signal(SIGPIPE, SIG_IGN); /* as the collector has it */
    assert_int_equal(pipe(ends), 0);
    fixture->output = open_fd(fixture, ends[1]);
    assert_int_equal(lh_output_write(fixture->output, LINE, strlen(LINE)), 0);
    close(ends[0]);
    capture_stderr(fixture);
    int result = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(result, -EPIPE);
    close(ends[1]);
}

static void test_descriptor_that_is_private_to_us_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char said[4096];
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fixture->output = open_fd(fixture, ends[1]);
    capture_stderr(fixture);
    int result = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(result, -EBADF);
    close(ends[0]);
    close(ends[1]);
}

/* One that programs do not name, but that the collector writes to for itself. */
static void test_own_file_is_written_to_and_no_program_that_guesses_its_number_is(void **state)
{
    struct fixture *fixture = *state;
    char said[4096];
    int fd = fileno(tmpfile());
    assert_int_equal(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    const struct lh_output_target ours = {.kind = LH_OUTPUT_FD, .fd = fd, .ours = true};
    struct lh_output *own = lh_output_get(fixture->outputs, &ours);
    assert_int_equal(lh_output_write(own, LINE, strlen(LINE)), 0);
    fixture->output = open_fd(fixture, fd);
    capture_stderr(fixture);
    int result = lh_output_write(fixture->output, LINE, strlen(LINE));
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(result, -EBADF);
    assert_int_equal(lseek(fd, 0, SEEK_END), strlen(LINE));
    lh_output_put(fixture->outputs, own);
}

static void test_a_shared_pipe_keeps_its_own_flags(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fixture->output = open_fd(fixture, ends[1]);
    assert_int_equal(lh_output_write(fixture->output, LINE, strlen(LINE)), 0);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    close(ends[1]);
}

/* Reads `length` bytes from the reading end of a full pipe or socket. */
static void drain(int fd, char *to, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = read(fd, to + done, length - done);
        assert_true(got > 0);
        done += (size_t)got;
    }
}

static void test_slow_reader_costs_a_bounded_time_once_and_tears_no_line(void **state)
{
    struct fixture *fixture = *state;
    static char content[65536 + 200000];
    static char big[100000];
    char said[4096];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\n';
    fixture->output = open_fd(fixture, ends[1]);
    capture_stderr(fixture);
    int64_t start = now_ms();
    int torn = lh_output_write(fixture->output, big, sizeof(big));
    int64_t first_ms = now_ms() - start;
    start = now_ms();
    for (int i = 0; i < 50; i++)
        assert_int_equal(lh_output_write(fixture->output, LINE, strlen(LINE)), -EAGAIN);
    int64_t later_ms = now_ms() - start;
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(torn, -EAGAIN);
    assert_in_range(first_ms, 90, 3000);
    assert_in_range(later_ms, 0, 2000); /* 50 waits would be 5000 */
    assert_non_null(strstr(said, "its reader is too slow"));

    /* Once there is room again, the line that was begun comes to its end before the next one. */
    int held;
    assert_int_equal(ioctl(ends[0], FIONREAD, &held), 0);
    drain(ends[0], content, (size_t)held);
    assert_int_equal(lh_output_write(fixture->output, LINE, strlen(LINE)), 0);
    drain(ends[0], content + held, sizeof(big) - (size_t)held + strlen(LINE));
    content[sizeof(big) + strlen(LINE)] = '\0';
    assert_memory_equal(content, big, sizeof(big));
    assert_string_equal(content + sizeof(big), LINE);
    close(ends[0]);
    close(ends[1]);
}

static int listen_in_directory(const struct fixture *fixture, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fixture->directory, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void assert_receives_line(int listener)
{
    char line[64] = "";
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, line, sizeof(line) - 1), strlen(LINE));
    assert_string_equal(line, LINE);
    close(fd);
}

/* Writes until it goes through: a new connection is tried once a second. */
static void write_until_taken(struct lh_output *output)
{
    int64_t deadline = now_ms() + 10000;
    while (lh_output_write(output, LINE, strlen(LINE)) != 0) {
        assert_true(now_ms() < deadline);
        poll(NULL, 0, 20);
    }
}

static void test_unix_socket_is_connected_again_after_its_reader_went(void **state)
{
    struct fixture *fixture = *state;
    char said[4096];
    fixture->output = open_in_directory(fixture, LH_OUTPUT_UNIX, "sock");
    capture_stderr(fixture);
    int without_reader = lh_output_write(fixture->output, LINE, strlen(LINE));
    int listener = listen_in_directory(fixture, "sock");
    write_until_taken(fixture->output);
    assert_receives_line(listener);
    int after_reader = lh_output_write(fixture->output, LINE, strlen(LINE));
    write_until_taken(fixture->output);
    release_stderr(fixture, said, sizeof(said));
    assert_int_equal(without_reader, -ENOENT);
    assert_int_equal(after_reader, -EPIPE);
    assert_receives_line(listener);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    close(listener);
}

struct writer {
    struct lh_output *output;
    char line[512];
};

static void *write_many(void *argument)
{
    struct writer *writer = argument;
    for (int i = 0; i < 500; i++)
        if (lh_output_write(writer->output, writer->line, sizeof(writer->line)) != 0)
            return argument;
    return NULL;
}

static void test_lines_of_several_threads_are_never_torn(void **state)
{
    struct fixture *fixture = *state;
    struct writer writers[4];
    pthread_t threads[4];
    char path[256];
    char line[600];
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "many");
    for (int i = 0; i < 4; i++) {
        writers[i].output = fixture->output;
        memset(writers[i].line, 'a' + i, sizeof(writers[i].line));
        writers[i].line[sizeof(writers[i].line) - 1] = '\n';
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    (void)snprintf(path, sizeof(path), "%s/many", fixture->directory);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int lines = 0;
    for (; fgets(line, sizeof(line), file) != NULL; lines++) {
        char letter[2] = {line[0], '\0'};
        assert_int_equal(strspn(line, letter), 511);
    }
    (void)fclose(file);
    assert_int_equal(lines, 2000);
}

static void test_a_file_is_no_terminal(void **state)
{
    struct fixture *fixture = *state;
    fixture->output = open_in_directory(fixture, LH_OUTPUT_PATH, "plain");
    assert_false(lh_output_is_terminal(fixture->output));
}

static void test_a_terminal_is_known_and_written_to(void **state)
{
    struct fixture *fixture = *state;
    char line[64] = "";
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_WRONLY | O_NOCTTY);
    assert_true(slave >= 0);
    fixture->output = open_fd(fixture, slave);
    assert_true(lh_output_is_terminal(fixture->output));
    assert_int_equal(lh_output_write(fixture->output, "hello\n", 6), 0);
    assert_true(read(master, line, sizeof(line) - 1) > 0);
    assert_string_equal(line, "hello\r\n");
    close(slave);
    close(master);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_programs_with_the_same_name_share_one_output),
        TEST(test_file_is_made_for_its_owner_only_and_appended_to),
        TEST(test_file_that_cannot_be_opened_is_said_once),
        TEST(test_file_that_was_moved_away_is_made_again),
        TEST(test_directory_that_disappears_is_a_loss),
        TEST(test_fifo_without_a_reader_is_a_loss),
        TEST(test_full_disk_is_a_loss_and_not_a_crash),
        TEST(test_closed_pipe_is_a_loss),
        TEST(test_descriptor_that_is_private_to_us_is_refused),
        TEST(test_own_file_is_written_to_and_no_program_that_guesses_its_number_is),
        TEST(test_a_shared_pipe_keeps_its_own_flags),
        TEST(test_slow_reader_costs_a_bounded_time_once_and_tears_no_line),
        TEST(test_unix_socket_is_connected_again_after_its_reader_went),
        TEST(test_lines_of_several_threads_are_never_torn),
        TEST(test_a_file_is_no_terminal),
        TEST(test_a_terminal_is_known_and_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
