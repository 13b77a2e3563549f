/* SPDX-License-Identifier: Apache-2.0 */
/* Which units of the ring's memory are in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "common/ring_room.h"

static struct lh_room room;

static int empty_room(void **state)
{
    (void)state;
    memset(&room, 0, sizeof(room));
    return 0;
}

static void test_lowest_run_that_is_long_enough_is_taken(void **state)
{
    (void)state;
    assert_int_equal(lh_room_claim(&room, 10), 0);
    assert_int_equal(lh_room_claim(&room, 3), 10);
    assert_int_equal(lh_room_claim(&room, 20), 13);
    lh_room_release(&room, 10, 3);
    assert_int_equal(lh_room_claim(&room, 4), 33);
    assert_int_equal(lh_room_claim(&room, 2), 10);
    assert_int_equal(lh_room_claim(&room, 1), 12);
    assert_int_equal(lh_room_claim(&room, 1), 37);
}

static void test_runs_go_across_words(void **state)
{
    (void)state;
    assert_int_equal(lh_room_claim(&room, 60), 0);
    assert_int_equal(lh_room_claim(&room, 300), 60);
    assert_int_equal(lh_room_claim(&room, 1), 360);
    lh_room_release(&room, 62, 200);
    assert_int_equal(lh_room_claim(&room, 201), 361);
    assert_int_equal(lh_room_claim(&room, 200), 62);
    assert_int_equal(lh_room_claim(&room, 64), 562);
}

static void test_every_unit_can_be_had_and_none_twice(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < LH_ROOM_UNITS; i++)
        assert_int_equal(lh_room_claim(&room, 1), i);
    assert_int_equal(lh_room_claim(&room, 1), LH_ROOM_NONE);
    assert_int_equal(lh_room_in_use(&room), LH_ROOM_UNITS);
    lh_room_release(&room, 0, LH_ROOM_UNITS);
    assert_int_equal(lh_room_in_use(&room), 0);
    assert_int_equal(lh_room_claim(&room, LH_ROOM_UNITS + 1), LH_ROOM_NONE);
    assert_int_equal(lh_room_claim(&room, LH_ROOM_UNITS), 0);
}

static void test_what_is_beyond_the_end_is_left_out(void **state)
{
    (void)state;
    assert_int_equal(lh_room_claim(&room, LH_ROOM_UNITS), 0);
    lh_room_release(&room, LH_ROOM_UNITS - 1, UINT32_MAX);
    lh_room_release(&room, LH_ROOM_UNITS, 1);
    lh_room_release(&room, UINT32_MAX, UINT32_MAX);
    lh_room_release(&room, 5, 0);
    assert_int_equal(lh_room_claim(&room, 2), LH_ROOM_NONE);
    assert_int_equal(lh_room_claim(&room, 1), LH_ROOM_UNITS - 1);
}

#define THREADS 4
#define ROUNDS  20000

static _Atomic uint32_t owner[LH_ROOM_UNITS];

static void *claim_many(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t count = 1 + (round * 7 + self * 31) % 150;
        uint32_t first = lh_room_claim(&room, count);
        if (first == LH_ROOM_NONE)
            abort();
        for (uint32_t i = first; i < first + count; i++)
            if (atomic_exchange(&owner[i], self) != 0)
                abort();
        for (uint32_t i = first; i < first + count; i++)
            atomic_store(&owner[i], 0);
        lh_room_release(&room, first, count / 2);
        lh_room_release(&room, first + count / 2, count - count / 2);
    }
    return NULL;
}

static void test_threads_never_have_the_same_unit(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claim_many, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(lh_room_in_use(&room), 0);
}

#define TEST(function) cmocka_unit_test_setup(function, empty_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lowest_run_that_is_long_enough_is_taken),
        TEST(test_runs_go_across_words),
        TEST(test_every_unit_can_be_had_and_none_twice),
        TEST(test_what_is_beyond_the_end_is_left_out),
        TEST(test_threads_never_have_the_same_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
