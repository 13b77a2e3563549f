/* SPDX-License-Identifier: Apache-2.0 */
/* --budget: its terms, and when they do not hold; and the exit status of loophound run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "common/units.h"

static struct lh_tally tallies[LH_GROUP_COUNT + 1] = {
    [LH_GROUP_SLEEP] = {2, 300 * LH_NS_PER_MS, 200 * LH_NS_PER_MS},
    [LH_GROUP_DNS] = {1, 50 * LH_NS_PER_MS, 50 * LH_NS_PER_MS},
    [LH_TALLY_STALLS] = {3, 600 * LH_NS_PER_MS, 250 * LH_NS_PER_MS},
};

/* How many terms are broken; the command ran for 10 s. */
static int broken(const char *terms)
{
    struct lh_budget budget;
    const char *expected;
    int error = lh_budget_parse(&budget, terms, &expected);
    return error != 0 ? error : (int)lh_budget_check(&budget, tallies, 10 * LH_NS_PER_S);
}

static void test_terms_are_of_all_that_was_reported(void **state)
{
    (void)state;
    assert_int_equal(broken("worst<250ms"), 1);
    assert_int_equal(broken("worst<251ms"), 0);
    assert_int_equal(broken("total<950ms"), 1);
    assert_int_equal(broken("total<951ms"), 0);
    assert_int_equal(broken("count<6"), 1);
    assert_int_equal(broken("count<7"), 0);
}

static void test_share_is_of_the_time_that_the_command_ran(void **state)
{
    (void)state;
    assert_int_equal(broken("total<9.5%"), 1);
    assert_int_equal(broken("total<9.51%"), 0);
    assert_int_equal(broken("dns.total<0.5%"), 1);
    assert_int_equal(broken("dns.total<0.6%"), 0);
}

static void test_terms_may_be_of_one_group(void **state)
{
    (void)state;
    assert_int_equal(broken("dns.worst<51ms,stall.count<4,sleep.total<301ms,file.count<1"), 0);
    assert_int_equal(broken("dns.worst<50ms,stall.count<3,sleep.total<300ms,file.count<1"), 3);
}

static void test_bad_terms_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "worst",         "worst<",    "worst<soon",
        "worst>1ms",  "worst<1%",      "count<1ms", "count<-1",
        "total<%",    "total<101%",    "total<1.%", "disk.count<1",
        "worst<1ms,", ",worst<1ms",    "p99<50ms",  "worst<1ms total<1ms",
        ".count<1",   "stalls.count<3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (broken(bad[i]) != -EINVAL)
            fail_msg("\"%s\" is taken", bad[i]);
}

static void test_there_are_16_terms_at_most(void **state)
{
    (void)state;
    assert_int_equal(broken("count<9,count<9,count<9,count<9,count<9,count<9,count<9,count<9,"
                            "count<9,count<9,count<9,count<9,count<9,count<9,count<9,count<9"),
                     0);
    assert_int_equal(broken("count<9,count<9,count<9,count<9,count<9,count<9,count<9,count<9,"
                            "count<9,count<9,count<9,count<9,count<9,count<9,count<9,count<9,"
                            "count<9"),
                     -EINVAL);
}

static const struct lh_run_flags none = {.fail = false};
static const struct lh_run_flags failing = {.fail = true};
static const struct lh_run_flags requiring = {.require_loop = true};
static const struct lh_run_flags updating = {.fail = true, .update_baseline = true};
static const struct lh_run_flags strict_baseline = {.strict_baseline = true};

static int status(const struct lh_run_flags *flags, struct lh_run_outcome outcome)
{
    return lh_run_status(&outcome, flags);
}
#define STATUS(flags, ...) status(&(flags), (struct lh_run_outcome){__VA_ARGS__})

static void test_status_is_0_where_nothing_was_asked(void **state)
{
    (void)state;
    assert_int_equal(STATUS(none, .reported = 3, .loops = 1, .dropped = 1, .gone = 1), 0);
    assert_int_equal(STATUS(failing, .loops = 1), 0);
}

static void test_what_is_reported_fails_where_that_was_asked(void **state)
{
    (void)state;
    assert_int_equal(STATUS(failing, .reported = 1, .loops = 1), LH_EXIT_REPORTED);
    assert_int_equal(STATUS(none, .reported = 1, .has_baseline = true), LH_EXIT_REPORTED);
    assert_int_equal(STATUS(none, .over_budget = 1), LH_EXIT_REPORTED);
    assert_int_equal(STATUS(strict_baseline, .has_baseline = true, .gone = 1), LH_EXIT_REPORTED);
    assert_int_equal(STATUS(none, .has_baseline = true, .gone = 1), 0);
}

static void test_what_is_written_down_is_not_new(void **state)
{
    (void)state;
    assert_int_equal(STATUS(updating, .reported = 1, .has_baseline = true), 0);
    assert_int_equal(STATUS(updating, .reported = 1, .has_baseline = true, .failed = true),
                     LH_EXIT_FAILED);
}

static void test_result_that_means_nothing_is_98(void **state)
{
    (void)state;
    assert_int_equal(STATUS(requiring, .loops = 0), LH_EXIT_UNSURE);
    assert_int_equal(STATUS(requiring, .loops = 1), 0);
    assert_int_equal(STATUS(none, .strict = true, .dropped = 1), LH_EXIT_UNSURE);
    assert_int_equal(STATUS(failing, .strict = true, .dropped = 1, .reported = 1),
                     LH_EXIT_REPORTED);
}

static void test_status_of_a_command_that_failed_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(STATUS(failing, .command = 7, .reported = 1, .failed = true), 7);
    assert_int_equal(STATUS(requiring, .command = 139), 139);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms_are_of_all_that_was_reported),
        cmocka_unit_test(test_share_is_of_the_time_that_the_command_ran),
        cmocka_unit_test(test_terms_may_be_of_one_group),
        cmocka_unit_test(test_bad_terms_are_refused),
        cmocka_unit_test(test_there_are_16_terms_at_most),
        cmocka_unit_test(test_status_is_0_where_nothing_was_asked),
        cmocka_unit_test(test_what_is_reported_fails_where_that_was_asked),
        cmocka_unit_test(test_what_is_written_down_is_not_new),
        cmocka_unit_test(test_result_that_means_nothing_is_98),
        cmocka_unit_test(test_status_of_a_command_that_failed_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
