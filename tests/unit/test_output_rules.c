/* SPDX-License-Identifier: Apache-2.0 */
/* Which files may be an output. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/output_rules.h"

#define SELF  1000u
#define OTHER 1001u

static bool is_shared(mode_t mode, uid_t owner)
{
    const struct stat directory = {.st_mode = S_IFDIR | mode, .st_uid = owner};
    return lh_output_is_shared(&directory, SELF);
}

static void test_directory_is_shared_where_others_may_make_names(void **state)
{
    (void)state;
    assert_false(is_shared(0755, SELF));
    assert_false(is_shared(0755, 0));
    assert_true(is_shared(01777, 0));
    assert_true(is_shared(0775, SELF));
    assert_true(is_shared(0755, OTHER));
}

static int refusal(mode_t mode, uid_t owner, nlink_t names, bool shared)
{
    const struct stat file = {.st_mode = mode, .st_uid = owner, .st_nlink = names};
    return lh_output_refusal(&file, shared, SELF);
}

static void test_files_of_others_are_refused_everywhere(void **state)
{
    (void)state;
    assert_int_equal(refusal(S_IFREG, SELF, 1, true), 0);
    assert_int_equal(refusal(S_IFREG, OTHER, 1, false), -EPERM);
    assert_int_equal(refusal(S_IFREG, 0, 1, false), -EPERM);
}

static void test_second_name_is_refused_where_anybody_may_give_it(void **state)
{
    (void)state;
    assert_int_equal(refusal(S_IFREG, SELF, 2, false), 0);
    assert_int_equal(refusal(S_IFREG, SELF, 2, true), -EMLINK);
}

static void test_terminals_are_never_refused_and_pipes_of_others_where_shared(void **state)
{
    (void)state;
    assert_int_equal(refusal(S_IFCHR, OTHER, 1, true), 0);
    assert_int_equal(refusal(S_IFIFO, OTHER, 1, false), 0);
    assert_int_equal(refusal(S_IFIFO, OTHER, 1, true), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory_is_shared_where_others_may_make_names),
        cmocka_unit_test(test_files_of_others_are_refused_everywhere),
        cmocka_unit_test(test_second_name_is_refused_where_anybody_may_give_it),
        cmocka_unit_test(test_terminals_are_never_refused_and_pipes_of_others_where_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
