/* SPDX-License-Identifier: Apache-2.0 */
/* What the watchdog makes of the loops that it looks at: is it to look again, or to sleep until it
 * is called? And when does it read their times? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/iteration/stall.h"
#include "preload/state/state.h"
#include "preload/sys/clock.h"
#include "preload/watchdog/kept_times.h"
#include "preload/watchdog/loops_tick.h"
#include "preload/watchdog/stall_tick.h"

#define TICK_NS    (1000 * LH_NS_PER_S) /* no iteration gets that old here */
#define NEVER_READ 77
#define LOOKS      8 /* among so many is one at which times are read */

static struct lh_slot *slot;

static int begin(void **state)
{
    (void)state;
    lh_options_init(&lh_options);
    lh_process = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lh_process == MAP_FAILED)
        return -1;
    slot = lh_slot_take((uint32_t)syscall(SYS_gettid));
    lh_kept_times_begin();
    lh_stall_tick_init(TICK_NS);
    return 0;
}

static int give_back(void **state)
{
    (void)state;
    lh_kept_times_end(slot);
    return munmap(lh_process, sizeof(struct lh_process));
}

static void turn(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        atomic_store(&slot->parked, 0);
        lh_stall_begin(slot);
        atomic_store(&slot->parked, 1);
    }
}

static void test_loop_that_is_in_an_iteration_is_looked_at_again(void **state)
{
    (void)state;
    turn(1);
    atomic_store(&slot->parked, 0);
    assert_int_equal(lh_loops_tick(false), LH_LOOPS_BUSY);
    assert_false(lh_loops_are_parked());
}

/* For each of those turns it would be called. */
static void test_loop_that_turns_and_turns_is_looked_at_again(void **state)
{
    (void)state;
    turn(2);
    assert_int_equal(lh_loops_tick(false), LH_LOOPS_TURN);
    turn(1000);
    assert_int_equal(lh_loops_tick(false), LH_LOOPS_TURN);
    assert_true(lh_loops_are_parked());
}

static void test_loop_that_turns_now_and_then_calls(void **state)
{
    (void)state;
    turn(1);
    assert_int_equal(lh_loops_tick(false), LH_LOOPS_PARKED);
    assert_int_equal(lh_loops_tick(false), LH_LOOPS_PARKED);
}

/* Its turns are not taken for those of the next thread. */
static void test_slot_of_another_thread_begins_anew(void **state)
{
    (void)state;
    turn(1000);
    (void)lh_loops_tick(false);
    lh_slot_release(slot);
    slot = lh_slot_take((uint32_t)syscall(SYS_gettid));
    turn(1);
    assert_int_equal(lh_loops_tick(false), LH_LOOPS_PARKED);
}

static uint32_t readings(uint32_t looks, bool parked)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < looks; i++) {
        turn(1);
        atomic_store(&slot->parked, parked);
        slot->tick_cpu_ns = NEVER_READ;
        (void)lh_loops_tick(false);
        count += slot->tick_cpu_ns != NEVER_READ;
    }
    return count;
}

static void test_times_of_young_iterations_are_seldom_read(void **state)
{
    (void)state;
    assert_in_range(readings(LOOKS, false), 1, LOOKS / 2);
    assert_in_range(readings(LOOKS, true), 1, LOOKS / 2);
}

static void test_times_of_a_loop_that_calls_are_read_then(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < LOOKS; i++) {
        turn(1);
        atomic_store(&slot->parked, 0);
        slot->tick_cpu_ns = NEVER_READ;
        (void)lh_loops_tick(true);
        assert_int_not_equal(slot->tick_cpu_ns, NEVER_READ);
    }
    assert_int_not_equal(slot->kept_times, 0);
}

static void test_slot_without_a_thread_has_no_descriptor(void **state)
{
    (void)state;
    turn(1);
    (void)lh_loops_tick(true);
    lh_slot_release(slot);
    (void)lh_loops_tick(false);
    assert_int_equal(slot->kept_times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_loop_that_is_in_an_iteration_is_looked_at_again, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_loop_that_turns_and_turns_is_looked_at_again, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_loop_that_turns_now_and_then_calls, begin, give_back),
        cmocka_unit_test_setup_teardown(test_slot_of_another_thread_begins_anew, begin, give_back),
        cmocka_unit_test_setup_teardown(test_times_of_young_iterations_are_seldom_read, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_times_of_a_loop_that_calls_are_read_then, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_slot_without_a_thread_has_no_descriptor, begin,
                                        give_back),
    };
    lh_clock_init();
    lh_clock_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
