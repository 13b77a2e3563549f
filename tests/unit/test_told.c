/* SPDX-License-Identifier: Apache-2.0 */
/* What has been told in flight, until its end is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/told.h"
#include "new_ring.h"

static struct lh_ring *ring;

static int make_ring(void **state)
{
    (void)state;
    ring = new_ring();
    return ring != NULL ? 0 : -1;
}

static int free_ring(void **state)
{
    (void)state;
    free(ring);
    return 0;
}

static uint32_t count(void)
{
    uint32_t found = 0;
    enum lh_told_kind kind;
    for (uint32_t i = 0; i < LH_RING_TOLD; i++)
        found += lh_told_at(ring, i, &kind) != 0;
    return found;
}

static void test_what_is_told_lasts_until_its_end(void **state)
{
    (void)state;
    lh_told_begin(ring, 7, LH_TOLD_CALL);
    lh_told_begin(ring, 8, LH_TOLD_ITERATION);
    assert_true(lh_told_lasts(ring, 7));
    lh_told_end(ring, 7);
    lh_told_end(ring, 7);
    assert_false(lh_told_lasts(ring, 7));
    assert_true(lh_told_lasts(ring, 8));
    assert_int_equal(count(), 1);
}

static void test_kinds_are_told_apart(void **state)
{
    (void)state;
    enum lh_told_kind kind = LH_TOLD_CALL;
    lh_told_begin(ring, 8, LH_TOLD_ITERATION);
    assert_int_equal(lh_told_at(ring, 8, &kind), 8);
    assert_int_equal(kind, LH_TOLD_ITERATION);
}

static void test_later_ids_stand_beside_one_that_lasts(void **state)
{
    (void)state;
    lh_told_begin(ring, 5, LH_TOLD_CALL);
    lh_told_begin(ring, 5 + LH_RING_TOLD, LH_TOLD_CALL);
    assert_true(lh_told_lasts(ring, 5) && lh_told_lasts(ring, 5 + LH_RING_TOLD));
    lh_told_end(ring, 5);
    assert_true(lh_told_lasts(ring, 5 + LH_RING_TOLD));
}

static void test_what_finds_no_room_is_taken_for_ended(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= 2 * LH_RING_TOLD; id++)
        lh_told_begin(ring, id, LH_TOLD_CALL);
    assert_int_equal(count(), LH_RING_TOLD);
    assert_false(lh_told_lasts(ring, 2 * LH_RING_TOLD));
}

static void test_nothing_has_the_id_0(void **state)
{
    (void)state;
    assert_false(lh_told_lasts(ring, 0));
    lh_told_end(ring, 0);
    assert_int_equal(count(), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_ring, free_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_told_lasts_until_its_end),
        TEST(test_kinds_are_told_apart),
        TEST(test_later_ids_stand_beside_one_that_lasts),
        TEST(test_what_finds_no_room_is_taken_for_ended),
        TEST(test_nothing_has_the_id_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
