/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of an output: a second's worth at once, then so many bytes a second, for each its part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/bucket.h"
#include "common/units.h"

#define LIMIT 1000u /* bytes a second */
#define START (1000 * LH_NS_PER_S)

static int64_t at_ms(int64_t ms)
{
    return START + ms * LH_NS_PER_MS;
}

/* How many times `length` bytes are to be had at one moment. */
static unsigned taken(struct lh_bucket *bucket, size_t length, int64_t now_ns)
{
    unsigned count = 0;
    while (count < 5000 && lh_bucket_take(bucket, LIMIT, length, now_ns))
        count++;
    return count;
}

static void test_a_bucket_holds_a_second_and_fills_with_time(void **state)
{
    struct lh_bucket bucket = {0};
    (void)state;
    assert_int_equal(taken(&bucket, 100, at_ms(0)), 10);
    assert_int_equal(taken(&bucket, 100, at_ms(99)), 0);
    assert_int_equal(taken(&bucket, 100, at_ms(350)), 3);
    assert_int_equal(taken(&bucket, 100, at_ms(60000)), 10);
}

static void test_no_byte_is_lost_by_looking_often(void **state)
{
    struct lh_bucket bucket = {0};
    unsigned count = taken(&bucket, 1, at_ms(0));
    (void)state;
    for (int64_t us = 1; us <= 1000000; us += 7)
        count += lh_bucket_take(&bucket, LIMIT, 1, at_ms(0) + us * LH_NS_PER_US);
    assert_in_range(count, 1999, 2000);
}

static void test_what_is_longer_than_a_bucket_is_made_up_for(void **state)
{
    struct lh_bucket bucket = {0};
    (void)state;
    assert_true(lh_bucket_take(&bucket, LIMIT, 5000, at_ms(0)));
    assert_int_equal(taken(&bucket, 5000, at_ms(4900)), 0);
    assert_int_equal(taken(&bucket, 5000, at_ms(5000)), 1);
}

static void test_without_a_limit_all_may_be_written(void **state)
{
    struct lh_bucket all = {0};
    struct lh_bucket own = {0};
    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_true(lh_bucket_take(&all, 0, 1u << 18, at_ms(0)));
        assert_true(lh_bucket_take_share(&all, &own, 2, 0, 1u << 18, at_ms(0)));
    }
    lh_bucket_take_anyway(&all, 0, 1u << 18, at_ms(0));
    assert_int_equal(all.empty_ns, 0);
}

static void test_what_must_be_written_leaves_no_debt(void **state)
{
    struct lh_bucket bucket = {0};
    (void)state;
    lh_bucket_take_anyway(&bucket, LIMIT, 900, at_ms(0));
    assert_int_equal(taken(&bucket, 100, at_ms(0)), 1);
    lh_bucket_take_anyway(&bucket, LIMIT, 100000, at_ms(0));
    assert_int_equal(taken(&bucket, 100, at_ms(0)), 0);
    assert_int_equal(taken(&bucket, 100, at_ms(100)), 1);
}

/* Writes all that one of `writers` gets, each ms of so long. */
static unsigned flood(struct lh_bucket *all, struct lh_bucket *own, unsigned writers,
                      int64_t from_ms, int64_t to_ms)
{
    unsigned count = 0;
    for (int64_t ms = from_ms; ms < to_ms; ms++)
        while (count < 5000 && lh_bucket_take_share(all, own, writers, LIMIT, 10, at_ms(ms)))
            count++;
    return count;
}

static void test_one_writer_has_it_all(void **state)
{
    struct lh_bucket all = {0};
    struct lh_bucket own = {0};
    (void)state;
    assert_in_range(flood(&all, &own, 1, 0, 10000), 1090, 1100);
}

static void test_a_flood_leaves_the_others_their_part(void **state)
{
    struct lh_bucket all = {0};
    struct lh_bucket loud = {0};
    struct lh_bucket quiet = {0};
    unsigned others = 0;
    unsigned louds = flood(&all, &loud, 4, 0, 2000);
    (void)state;
    for (int64_t ms = 2000; ms < 12000; ms += 100) {
        louds += flood(&all, &loud, 4, ms, ms + 100);
        others += lh_bucket_take_share(&all, &quiet, 4, LIMIT, 20, at_ms(ms + 99));
    }
    assert_int_equal(others, 100);      /* 200 bytes a second, of the 250 that are its part */
    assert_in_range(louds, 1050, 1100); /* what these leave, and a second's worth */
}

static void test_two_floods_have_the_same(void **state)
{
    struct lh_bucket all = {0};
    struct lh_bucket parts[2] = {{0}, {0}};
    unsigned counts[2] = {0, 0};
    (void)state;
    for (int64_t ms = 0; ms < 10000; ms++) /* the first one always comes first */
        for (int i = 0; i < 2; i++)
            counts[i] += flood(&all, &parts[i], 2, ms, ms + 1);
    assert_in_range(counts[0] + counts[1], 1050, 1100);
    assert_in_range(counts[1], 500, 550);
}

static void test_a_long_report_of_one_among_many_is_written_and_made_up_for(void **state)
{
    struct lh_bucket all = {0};
    struct lh_bucket own = {0};
    (void)state;
    assert_true(lh_bucket_take_share(&all, &own, 10000, LIMIT, 1u << 18, at_ms(0)));
    assert_false(lh_bucket_take_share(&all, &own, 10000, LIMIT, 10, at_ms(1000)));
    assert_true(lh_bucket_take_share(&all, &own, 10000, LIMIT, 10, at_ms(400000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bucket_holds_a_second_and_fills_with_time),
        cmocka_unit_test(test_no_byte_is_lost_by_looking_often),
        cmocka_unit_test(test_what_is_longer_than_a_bucket_is_made_up_for),
        cmocka_unit_test(test_without_a_limit_all_may_be_written),
        cmocka_unit_test(test_what_must_be_written_leaves_no_debt),
        cmocka_unit_test(test_one_writer_has_it_all),
        cmocka_unit_test(test_a_flood_leaves_the_others_their_part),
        cmocka_unit_test(test_two_floods_have_the_same),
        cmocka_unit_test(test_a_long_report_of_one_among_many_is_written_and_made_up_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
