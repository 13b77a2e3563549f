/* SPDX-License-Identifier: Apache-2.0 */
/* Times in which the process was held: what passes for one of them, as the watchdog sees it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <setjmp.h>

#include <cmocka.h>

#include "preload/state/suspends.h"
#include "preload/sys/clock.h"

#define HELD_MS 60 /* far more than what is the kernel's own business */

/* Neither runs nor waits for a processor, as a process that is held. */
static void hold(void)
{
    const struct timespec time = {0, HELD_MS * LH_NS_PER_MS};
    nanosleep(&time, NULL);
}

static uint64_t held_since(uint64_t start)
{
    return lh_suspends_within(start, UINT64_MAX);
}

static void test_wait_for_another_process_is_no_time_of_being_held(void **state)
{
    (void)state;
    uint64_t start = lh_counter();
    lh_suspends_begin();
    lh_suspends_before(-1);
    hold();
    lh_suspends_served();
    lh_suspends_after();
    assert_int_equal(held_since(start), 0);
}

static void test_what_comes_after_that_wait_is_one(void **state)
{
    (void)state;
    uint64_t start = lh_counter();
    lh_suspends_begin();
    lh_suspends_before(-1);
    hold();
    lh_suspends_served();
    uint64_t served = lh_counter();
    hold();
    lh_suspends_after();
    uint64_t held_ns = held_since(start);
    assert_true(held_ns >= HELD_MS / 2 * LH_NS_PER_MS);
    assert_true(held_ns <= lh_counter_to_ns(lh_counter() - served) + LH_NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_for_another_process_is_no_time_of_being_held),
        cmocka_unit_test(test_what_comes_after_that_wait_is_one),
    };
    lh_clock_init();
    lh_clock_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
