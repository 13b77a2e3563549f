/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rights a ring's thread takes on. Only root can take on another user's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/link/rights.h"

#define USER   1234u
#define NOBODY 65534u

static int told_by_child;

static uid_t in_force(void)
{
    return (uid_t)setfsuid((uid_t)-1);
}

static int give_back(void **state)
{
    (void)state;
    setfsuid(geteuid());
    setfsgid(getegid());
    return 0;
}

static void skip_unless_root(void)
{
    if (geteuid() != 0)
        skip();
}

/* A process that has become another user. Becomes root's again, and `later` for good, when its pipe
 * is written to; ends with it. */
static pid_t start_for(uid_t user, uid_t later, int *pipe_end)
{
    int told[2];
    int end[2];
    char byte = 0;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(end[1]);
        bool stays = user == later;
        if ((stays ? setgid(user) : setegid(user)) != 0 ||
            (stays ? setuid(user) : seteuid(user)) != 0 || write(told[1], &byte, 1) != 1)
            _exit(1);
        if (read(end[0], &byte, 1) == 1 && (seteuid(0) != 0 || setgid(later) != 0 ||
                                            setuid(later) != 0 || write(told[1], &byte, 1) != 1))
            _exit(1);
        _exit(read(end[0], &byte, 1) != 0);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    told_by_child = told[0];
    close(told[1]);
    close(end[0]);
    *pipe_end = end[1];
    return pid;
}

static pid_t start(uid_t user, int *pipe_end)
{
    return start_for(user, user, pipe_end);
}

static void let_it_change(int pipe_end)
{
    char byte = 0;
    assert_int_equal(write(pipe_end, &byte, 1), 1);
    assert_int_equal(read(told_by_child, &byte, 1), 1);
}

static void end_child(pid_t pid, int pipe_end)
{
    int status;
    close(pipe_end);
    close(told_by_child);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_rights_are_those_that_the_program_has_now(void **state)
{
    (void)state;
    int end;
    skip_unless_root();
    pid_t pid = start(USER, &end);
    struct lh_rights rights;
    lh_rights_init(&rights, pid, 0, 0); /* of its hello */
    lh_rights_follow(&rights, 0);
    assert_int_equal(in_force(), USER);
    end_child(pid, end);
    lh_rights_end(&rights);
}

/* It need not be looked at for each report, and is between two of them what it was before. */
static void test_rights_that_are_given_up_are_not_used_once_more(void **state)
{
    (void)state;
    const uid_t rights_before[] = {0, USER + 1};
    skip_unless_root();
    for (size_t i = 0; i < sizeof(rights_before) / sizeof(rights_before[0]); i++) {
        int end;
        pid_t pid = start_for(rights_before[i], USER, &end);
        struct lh_rights rights;
        lh_rights_init(&rights, pid, 0, 0);
        lh_rights_follow(&rights, rights_before[i]);
        lh_rights_follow(&rights, rights_before[i]);
        assert_int_equal(in_force(), rights_before[i]);
        let_it_change(end);
        lh_rights_follow(&rights, USER);
        assert_int_equal(in_force(), USER);
        end_child(pid, end);
        lh_rights_end(&rights);
        give_back(state);
    }
}

static void test_rights_of_a_program_that_is_gone_are_the_last_known(void **state)
{
    (void)state;
    int end;
    skip_unless_root();
    pid_t pid = start(USER, &end);
    struct lh_rights rights;
    lh_rights_init(&rights, pid, 0, 0);
    lh_rights_follow(&rights, USER);
    end_child(pid, end);
    lh_rights_follow(&rights, USER);
    assert_int_equal(in_force(), USER);
}

static void test_record_takes_rights_away_and_gives_none(void **state)
{
    (void)state;
    int end;
    skip_unless_root();
    pid_t pid = start(0, &end);
    struct lh_rights rights;
    lh_rights_init(&rights, pid, 0, 0);
    lh_rights_follow(&rights, USER); /* it was that when it made the record */
    assert_int_equal(in_force(), NOBODY);
    end_child(pid, end);
    pid = start(USER, &end);
    lh_rights_end(&rights);
    lh_rights_init(&rights, pid, USER, USER);
    lh_rights_follow(&rights, 0); /* as only a hostile program would say */
    assert_int_equal(in_force(), USER);
    end_child(pid, end);
    lh_rights_end(&rights);
}

#define TEST(name) cmocka_unit_test_teardown(name, give_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rights_are_those_that_the_program_has_now),
        TEST(test_rights_that_are_given_up_are_not_used_once_more),
        TEST(test_rights_of_a_program_that_is_gone_are_the_last_known),
        TEST(test_record_takes_rights_away_and_gives_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
