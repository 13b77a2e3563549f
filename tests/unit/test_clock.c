/* SPDX-License-Identifier: Apache-2.0 */
/* Time is the kernel's, also where the program's own clocks are faked, as libfaketime does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "preload/sys/clock.h"

#define STOPPED_S 1577836800

static unsigned asked;

/* In front of libc's: a clock that stands still, and counts who looks at it. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    asked++;
    *now = (struct timespec){STOPPED_S, 0};
    return 0;
}

static void faked_clock_is_noticed_without_a_look_at_it(void **state)
{
    (void)state;
    unsigned before = asked;
    lh_clock_init();
    lh_clock_start();
    assert_true(lh_clock_is_faked);
    assert_int_equal(asked, before);
}

static void coarse_counter_goes_on_where_the_programs_clock_stands(void **state)
{
    (void)state;
    unsigned before = asked;
    lh_clock_init();
    lh_clock_start();
    uint64_t first = lh_counter_coarse();
    int64_t end_ns = lh_clock_ns(CLOCK_MONOTONIC) + 1 * LH_NS_PER_S;
    while (lh_counter_coarse() == first && lh_clock_ns(CLOCK_MONOTONIC) < end_ns)
        continue;
    assert_true(lh_counter_coarse() > first);
    assert_true(lh_counter_coarse() - first < 2 * LH_NS_PER_S);
    assert_int_equal(asked, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faked_clock_is_noticed_without_a_look_at_it),
        cmocka_unit_test(coarse_counter_goes_on_where_the_programs_clock_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
