/* SPDX-License-Identifier: Apache-2.0 */
/* Asked after a call of real descriptors: is it certain that it cannot have waited? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/strict/never.h"

static void test_pipe_never_waits_with_nonblock_only(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_false(lh_never_fd_or_disk(ends[0]));
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(lh_never_fd_or_disk(ends[0]));
    assert_false(lh_never_two_fds(ends[0], ends[1], 0));
    assert_true(lh_never_two_fds(ends[0], ends[1], SPLICE_F_NONBLOCK));
    close(ends[0]);
    close(ends[1]);
}

static void test_file_may_wait_whatever_its_flags(void **state)
{
    (void)state;
    int fds[] = {open("/bin/sh", O_RDONLY | O_CLOEXEC | O_NONBLOCK),
                 open("/", O_RDONLY | O_CLOEXEC | O_NONBLOCK), memfd_create("test", MFD_CLOEXEC)};
    assert_int_equal(fcntl(fds[2], F_SETFL, O_NONBLOCK), 0);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        assert_true(fds[i] >= 0);
        assert_false(lh_never_fd_or_disk(fds[i]));
        assert_true(lh_never_vector(fds[i], RWF_NOWAIT));
        close(fds[i]);
    }
}

static void test_socket_never_waits_if_it_or_the_call_says_so(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_false(lh_never_socket(pair[0], 0));
    assert_true(lh_never_socket(pair[0], MSG_DONTWAIT));
    FILE *stream = fdopen(pair[0], "r+");
    assert_false(lh_never_stream_of(stream));
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(lh_never_socket(pair[0], 0));
    assert_true(lh_never_stream_of(stream));
    assert_int_equal(fclose(stream), 0);
    close(pair[1]);
}

static void test_what_is_closed_by_now_is_in_doubt(void **state)
{
    (void)state;
    errno = 77;
    assert_false(lh_never_fd_or_disk(1 << 20));
    assert_false(lh_never_socket(1 << 20, 0));
    assert_int_equal(errno, 77);
}

static void test_look_that_is_not_to_wait_never_does(void **state)
{
    (void)state;
    assert_true(lh_never_flag_unset(WNOHANG, WNOHANG));
    assert_false(lh_never_flag_unset(0, WNOHANG));
    assert_true(lh_never_host_name("127.0.0.1", NULL));
    assert_false(lh_never_host_name("localhost", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipe_never_waits_with_nonblock_only),
        cmocka_unit_test(test_file_may_wait_whatever_its_flags),
        cmocka_unit_test(test_socket_never_waits_if_it_or_the_call_says_so),
        cmocka_unit_test(test_what_is_closed_by_now_is_in_doubt),
        cmocka_unit_test(test_look_that_is_not_to_wait_never_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
