/* SPDX-License-Identifier: Apache-2.0 */
/* Strict mode's question, asked of real descriptors, locks and times: could this call wait? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/futex.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "preload/state/state.h"
#include "preload/strict/rules.h"

#define WAITS(expression)       assert_int_equal((expression), LH_WAITS_YES)
#define NEVER_WAITS(expression) assert_int_equal((expression), LH_WAITS_NO)

static void test_nonblocking_pipe_cannot_wait_and_a_plain_one_can(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    WAITS(lh_rule_fd_or_disk(ends[0]));
    WAITS(lh_rule_fd_blocking(ends[0]));
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    NEVER_WAITS(lh_rule_fd_or_disk(ends[0]));
    NEVER_WAITS(lh_rule_fd_blocking(ends[0]));
    close(ends[0]);
    close(ends[1]);
}

/* Programs are on a disk; /tmp and a build directory may be in memory. */
static int open_disk_file(void)
{
    int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void test_disk_file_can_wait_whatever_its_flags(void **state)
{
    (void)state;
    int fd = open_disk_file();
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    WAITS(lh_rule_fd_or_disk(fd));
    WAITS(lh_rule_disk_fd(fd));
    assert_true(lh_opened_could_wait(fd));
    close(fd);
}

static void test_memory_files_and_devices_cannot_wait(void **state)
{
    (void)state;
    static const char *const paths[] = {"/proc/self/status", "/dev/null", "/dev/zero",
                                        "/dev/urandom"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        NEVER_WAITS(lh_rule_fd_or_disk(fd));
        assert_false(lh_opened_could_wait(fd));
        close(fd);
    }
    int memory = memfd_create("test", MFD_CLOEXEC);
    NEVER_WAITS(lh_rule_fd_or_disk(memory));
    NEVER_WAITS(lh_rule_disk_fd(memory));
    close(memory);
}

static void test_fifo_could_wait_at_open_unless_nonblocking(void **state)
{
    (void)state;
    char dir[] = "/tmp/loophound-test-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    assert_false(lh_opened_could_wait(fd));
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    assert_true(lh_opened_could_wait(fd));
    close(fd);
    unlink(path);
    rmdir(dir);
}

static void test_standard_output_and_closed_descriptors_never_count(void **state)
{
    (void)state;
    NEVER_WAITS(lh_rule_fd_or_disk(STDOUT_FILENO));
    NEVER_WAITS(lh_rule_fd_or_disk(STDERR_FILENO));
    errno = 77;
    NEVER_WAITS(lh_rule_fd_or_disk(1 << 20));
    assert_int_equal(errno, 77);
}

static void test_socket_waits_unless_it_or_the_call_says_not_to(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    WAITS(lh_rule_socket(pair[0], 0));
    WAITS(lh_rule_socket(pair[0], MSG_PEEK));
    NEVER_WAITS(lh_rule_socket(pair[0], MSG_DONTWAIT));
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    NEVER_WAITS(lh_rule_socket(pair[0], 0));
    close(pair[0]);
    close(pair[1]);
}

static void test_vectored_read_is_believed_when_it_says_not_to_wait(void **state)
{
    (void)state;
    int fd = open_disk_file();
    WAITS(lh_rule_vector(fd, 0));
    WAITS(lh_rule_vector(fd, RWF_HIPRI));
    NEVER_WAITS(lh_rule_vector(fd, RWF_NOWAIT));
    close(fd);
}

static void test_splice_waits_when_either_end_does(void **state)
{
    (void)state;
    int ends[2], quiet[2];
    int fd = open_disk_file();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(quiet, O_CLOEXEC | O_NONBLOCK), 0);
    WAITS(lh_rule_two_fds(ends[0], quiet[1], 0));
    WAITS(lh_rule_two_fds(quiet[0], ends[1], 0));
    NEVER_WAITS(lh_rule_two_fds(quiet[0], quiet[1], 0));
    NEVER_WAITS(lh_rule_two_fds(ends[0], ends[1], SPLICE_F_NONBLOCK));
    /* The flag is about pipes only. */
    WAITS(lh_rule_two_fds(fd, ends[1], SPLICE_F_NONBLOCK));
    WAITS(lh_rule_two_fds(fd, quiet[1], 0));
    close(fd);
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(quiet[i]);
    }
}

static void test_stream_waits_only_for_what_it_has_not_buffered(void **state)
{
    (void)state;
    int ends[2];
    char line[8];
    assert_int_equal(pipe(ends), 0);
    FILE *stream = fdopen(ends[0], "r");
    WAITS(lh_rule_stream(stream, 0));
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    assert_non_null(fgets(line, sizeof(line), stream));
    NEVER_WAITS(lh_rule_stream(stream, 0));
    NEVER_WAITS(lh_rule_stream(stream, 4));
    WAITS(lh_rule_stream(stream, 5));
    fclose(stream);
    close(ends[1]);
}

static void test_writing_waits_only_when_the_buffer_has_no_room(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FILE *stream = fdopen(ends[1], "w");
    assert_non_null(stream);
    NEVER_WAITS(lh_rule_stream_out(stream, 1));
    WAITS(lh_rule_stream_out(stream, 1 << 20));
    NEVER_WAITS(lh_rule_stream_flush(stream));
    assert_true(fputs("one", stream) >= 0);
    WAITS(lh_rule_stream_flush(stream));
    NEVER_WAITS(lh_rule_stream_out(stream, 4000));
    WAITS(lh_rule_stream_out(stream, 4096));
    NEVER_WAITS(lh_rule_stream_out(stream, 0));
    assert_int_equal(fflush(stream), 0);
    NEVER_WAITS(lh_rule_stream_flush(stream));
    assert_int_equal(setvbuf(stream, NULL, _IOLBF, 0), 0);
    WAITS(lh_rule_stream_out(stream, 1));
    assert_int_equal(fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK), 0);
    NEVER_WAITS(lh_rule_stream_out(stream, 1));
    NEVER_WAITS(lh_rule_stream_out(stdout, 1 << 20));
    WAITS(lh_rule_stream_flush(NULL));
    fclose(stream);
    close(ends[0]);
}

static void test_wide_stream_waits_only_for_what_it_has_not_buffered(void **state)
{
    (void)state;
    int ends[2];
    wchar_t line[8];
    assert_int_equal(pipe(ends), 0);
    FILE *stream = fdopen(ends[0], "r");
    WAITS(lh_rule_stream_wide(stream, 0));
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    assert_non_null(fgetws(line, 8, stream));
    NEVER_WAITS(lh_rule_stream_wide(stream, 0));
    NEVER_WAITS(lh_rule_stream_wide(stream, 4));
    WAITS(lh_rule_stream_wide(stream, 5));
    NEVER_WAITS(lh_rule_stream_wide((void *)16, 1));
    fclose(stream);
    close(ends[1]);
}

static void test_printing_waits_only_when_the_buffer_is_full(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FILE *stream = fdopen(ends[1], "w");
    assert_non_null(stream);
    NEVER_WAITS(lh_rule_stream_print(stream));
    assert_true(fprintf(stream, "%4095s", "x") == 4095);
    NEVER_WAITS(lh_rule_stream_print(stream));
    assert_int_equal(putc_unlocked('x', stream), 'x');
    WAITS(lh_rule_stream_print(stream));
    assert_int_equal(setvbuf(stream, NULL, _IONBF, 0), 0);
    WAITS(lh_rule_stream_print(stream));
    fclose(stream);
    close(ends[0]);
}

static void test_wide_printing_waits_only_without_a_buffer(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FILE *stream = fdopen(ends[1], "w");
    assert_non_null(stream);
    NEVER_WAITS(lh_rule_stream_print_wide(stream));
    assert_true(fputws(L"one", stream) >= 0);
    NEVER_WAITS(lh_rule_stream_print_wide(stream));
    assert_int_equal(setvbuf(stream, NULL, _IONBF, 0), 0);
    WAITS(lh_rule_stream_print_wide(stream));
    fclose(stream);
    close(ends[0]);
}

static void test_close_waits_for_a_socket_that_lingers(void **state)
{
    (void)state;
    struct linger linger = {1, 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    NEVER_WAITS(lh_rule_lingers(fd));
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    WAITS(lh_rule_lingers(fd));
    linger.l_linger = 0; /* a reset at once */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    NEVER_WAITS(lh_rule_lingers(fd));
    close(fd);
    errno = 77;
    NEVER_WAITS(lh_rule_lingers(fd));
    assert_int_equal(errno, 77);
    fd = open_disk_file();
    NEVER_WAITS(lh_rule_lingers(fd));
    close(fd);
}

static void test_directory_waits_only_for_entries_it_has_not_buffered(void **state)
{
    (void)state;
    DIR *disk = opendir("/bin");
    DIR *memory = opendir("/proc");
    WAITS(lh_rule_directory(disk));
    assert_non_null(readdir(disk));
    NEVER_WAITS(lh_rule_directory(disk));
    rewinddir(disk);
    WAITS(lh_rule_directory(disk));
    NEVER_WAITS(lh_rule_directory(memory));
    closedir(disk);
    closedir(memory);
}

static void test_path_rule_reads_the_flags_of_the_at_family(void **state)
{
    (void)state;
    WAITS(lh_rule_path(AT_FDCWD, "/proc/self/root/bin/sh", 0));
    WAITS(lh_rule_path(AT_FDCWD, "/proc", AT_SYMLINK_NOFOLLOW));
    NEVER_WAITS(lh_rule_path(AT_FDCWD, "/proc", 0));
}

static void test_times_count_when_they_ask_for_one(void **state)
{
    (void)state;
    const struct timespec none = {0, 0}, some = {0, 1}, past = {1, 0};
    const struct timeval no_time = {0, 0};
    struct timespec ahead;
    clock_gettime(CLOCK_MONOTONIC, &ahead);
    ahead.tv_sec += 60;
    NEVER_WAITS(lh_rule_time_asked(0));
    WAITS(lh_rule_time_asked(1));
    NEVER_WAITS(lh_rule_timeout_ts(&none));
    WAITS(lh_rule_timeout_ts(&some));
    WAITS(lh_rule_timeout_ts(NULL));
    NEVER_WAITS(lh_rule_timeout_tv(&no_time));
    WAITS(lh_rule_timeout_tv(NULL));
    NEVER_WAITS(lh_rule_timeout_ms(0));
    WAITS(lh_rule_timeout_ms(-1));
    NEVER_WAITS(lh_rule_deadline_ahead(CLOCK_MONOTONIC, 0, &none));
    WAITS(lh_rule_deadline_ahead(CLOCK_MONOTONIC, 0, &some));
    NEVER_WAITS(lh_rule_deadline_ahead(CLOCK_MONOTONIC, TIMER_ABSTIME, &past));
    WAITS(lh_rule_deadline_ahead(CLOCK_MONOTONIC, TIMER_ABSTIME, &ahead));
    NEVER_WAITS(lh_rule_until(CLOCK_MONOTONIC, &past));
    WAITS(lh_rule_until(CLOCK_MONOTONIC, &ahead));
    WAITS(lh_rule_until(CLOCK_MONOTONIC, NULL));
}

static void test_bad_pointers_are_not_followed(void **state)
{
    (void)state;
    void *bad = (void *)16;
    NEVER_WAITS(lh_rule_timeout_ts(bad));
    NEVER_WAITS(lh_rule_deadline_ahead(CLOCK_MONOTONIC, TIMER_ABSTIME, bad));
    NEVER_WAITS(lh_rule_stream(bad, 1));
    NEVER_WAITS(lh_rule_directory(bad));
    NEVER_WAITS(lh_rule_stream_out(bad, 1));
    NEVER_WAITS(lh_rule_stream_flush(bad));
    assert_int_equal(lh_stream_fd((uintptr_t)bad), -1);
    NEVER_WAITS(lh_rule_path(AT_FDCWD, bad, 0));
}

static void test_semaphore_waits_at_zero(void **state)
{
    (void)state;
    sem_t sem;
    sem_init(&sem, 0, 1);
    NEVER_WAITS(lh_rule_semaphore(&sem));
    sem_wait(&sem);
    WAITS(lh_rule_semaphore(&sem));
    sem_destroy(&sem);
}

static void test_futex_waits_for_what_it_is_told_or_for_an_owner(void **state)
{
    (void)state;
    uint32_t word = 3;
    WAITS(lh_rule_futex((long)&word, FUTEX_WAIT_PRIVATE, 3));
    NEVER_WAITS(lh_rule_futex((long)&word, FUTEX_WAIT_PRIVATE, 4));
    WAITS(lh_rule_futex((long)&word, FUTEX_LOCK_PI, 0));
    word = FUTEX_WAITERS;
    NEVER_WAITS(lh_rule_futex((long)&word, FUTEX_LOCK_PI, 0));
    NEVER_WAITS(lh_rule_futex(8, FUTEX_WAIT, 0));
}

static void test_host_needs_a_look_up_only_by_name(void **state)
{
    (void)state;
    const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
    WAITS(lh_rule_host_name("example.org", NULL));
    NEVER_WAITS(lh_rule_host_name("example.org", &numeric));
    NEVER_WAITS(lh_rule_host_name("127.0.0.1", NULL));
    NEVER_WAITS(lh_rule_host_name("::1", NULL));
    NEVER_WAITS(lh_rule_host_name(NULL, NULL));
}

static void test_walk_reads_where_it_enters_a_directory(void **state)
{
    (void)state;
    char disk[] = "/bin", memory[] = "/proc";
    FTSENT entry = {.fts_info = FTS_D, .fts_instr = FTS_NOINSTR, .fts_accpath = disk};
    const FTS tree = {.fts_cur = &entry};
    const FTS at_its_end = {.fts_cur = NULL};
    WAITS(lh_rule_tree(&tree));
    entry.fts_info = FTS_F;
    NEVER_WAITS(lh_rule_tree(&tree));
    entry.fts_instr = FTS_AGAIN;
    WAITS(lh_rule_tree(&tree));
    entry.fts_accpath = memory;
    NEVER_WAITS(lh_rule_tree(&tree));
    NEVER_WAITS(lh_rule_tree(&at_its_end));
    NEVER_WAITS(lh_rule_tree(NULL));
}

static void test_flag_not_to_wait_is_believed(void **state)
{
    (void)state;
    WAITS(lh_rule_flag_unset(0, WNOHANG));
    WAITS(lh_rule_flag_unset(WUNTRACED, WNOHANG));
    NEVER_WAITS(lh_rule_flag_unset(WNOHANG | WUNTRACED, WNOHANG));
    WAITS(lh_rule_flag_set(MS_SYNC | MS_INVALIDATE, MS_SYNC));
    NEVER_WAITS(lh_rule_flag_set(MS_ASYNC, MS_SYNC));
    WAITS(lh_rule_words("a $(command)"));
    WAITS(lh_rule_words("~/file"));
    NEVER_WAITS(lh_rule_words("plain words"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nonblocking_pipe_cannot_wait_and_a_plain_one_can),
        cmocka_unit_test(test_disk_file_can_wait_whatever_its_flags),
        cmocka_unit_test(test_memory_files_and_devices_cannot_wait),
        cmocka_unit_test(test_fifo_could_wait_at_open_unless_nonblocking),
        cmocka_unit_test(test_standard_output_and_closed_descriptors_never_count),
        cmocka_unit_test(test_socket_waits_unless_it_or_the_call_says_not_to),
        cmocka_unit_test(test_vectored_read_is_believed_when_it_says_not_to_wait),
        cmocka_unit_test(test_splice_waits_when_either_end_does),
        cmocka_unit_test(test_stream_waits_only_for_what_it_has_not_buffered),
        cmocka_unit_test(test_writing_waits_only_when_the_buffer_has_no_room),
        cmocka_unit_test(test_wide_stream_waits_only_for_what_it_has_not_buffered),
        cmocka_unit_test(test_printing_waits_only_when_the_buffer_is_full),
        cmocka_unit_test(test_wide_printing_waits_only_without_a_buffer),
        cmocka_unit_test(test_close_waits_for_a_socket_that_lingers),
        cmocka_unit_test(test_directory_waits_only_for_entries_it_has_not_buffered),
        cmocka_unit_test(test_path_rule_reads_the_flags_of_the_at_family),
        cmocka_unit_test(test_times_count_when_they_ask_for_one),
        cmocka_unit_test(test_bad_pointers_are_not_followed),
        cmocka_unit_test(test_semaphore_waits_at_zero),
        cmocka_unit_test(test_futex_waits_for_what_it_is_told_or_for_an_owner),
        cmocka_unit_test(test_host_needs_a_look_up_only_by_name),
        cmocka_unit_test(test_walk_reads_where_it_enters_a_directory),
        cmocka_unit_test(test_flag_not_to_wait_is_believed),
    };
    lh_options_init(&lh_options);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
