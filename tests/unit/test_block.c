/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of a call's end where the function that runs the loop may have returned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/call_ids.h"
#include "preload/state/record.h"
#include "preload/sys/clock.h"
#include "preload/wrap/scope.h"

#define TOLD_ID   77u
#define ITERATION 5u
#define QUESTION  1u

static struct lh_ring *ring;
static struct lh_record taken;
static uint64_t return_address; /* stands where that of the loop's function was */

static int make_process(void **state)
{
    (void)state;
    size_t bytes = sizeof(struct lh_process) + sizeof(struct lh_ring);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -1;
    lh_options_init(&lh_options);
    lh_options.threshold_ns = 1;
    lh_clock_init();
    lh_clock_start();
    lh_process = (struct lh_process *)memory;
    ring = (struct lh_ring *)(memory + sizeof(struct lh_process));
    lh_ring_init(ring, (uint32_t)getpid(), &lh_options);
    atomic_store(&lh_process->ring, ring);
    atomic_store(&lh_process->pid, (uint32_t)getpid());
    return 0;
}

/* The collector has said which function runs the loop, and that one's frame is gone. */
static int begin(void **state)
{
    (void)state;
    struct lh_slot *slot = &lh_process->slots[0];
    struct lh_home *home = &ring->homes[QUESTION];
    memset(slot, 0, sizeof(*slot));
    atomic_store(&slot->tid, (uint32_t)syscall(SYS_gettid));
    atomic_store(&slot->iteration_id, ITERATION);
    slot->epfd = -1;
    slot->home.asked = QUESTION;
    atomic_store(&home->answers, QUESTION);
    home->kind = LH_HOME_TURNS;
    home->count = home->main = 1;
    home->frames[0].at = (uintptr_t)&return_address;
    home->frames[0].returns_to = 1;
    return_address = 2;
    lh_self.slot = slot;
    return 0;
}

static bool ends_as_block(bool is_told)
{
    struct lh_scope scope;
    uint64_t position = lh_ring_resume(ring);
    lh_scope_enter(&scope, LH_CALL_pause, 0);
    if (is_told) {
        lh_self.slot->reported_id = TOLD_ID;
        atomic_store(&lh_self.slot->reported_seq, scope.seq);
    }
    while (!lh_call_end(&scope))
        ;
    lh_call_finish(&scope, LH_CALL_pause, LH_WAITS_YES, 0, 0);
    return lh_ring_take(ring, &position, &taken);
}

static void test_call_is_left_to_a_stall_where_it_may_be_outside_the_loop(void **state)
{
    (void)state;
    assert_false(ends_as_block(false));
}

static void test_call_that_was_told_in_flight_ends_as_a_block_all_the_same(void **state)
{
    (void)state;
    assert_true(ends_as_block(true));
    assert_int_equal(taken.type, LH_EVENT_BLOCK);
    assert_int_equal(taken.id, TOLD_ID);
}

static void test_call_inside_the_loop_is_a_block(void **state)
{
    (void)state;
    return_address = 1;
    assert_true(ends_as_block(false));
    assert_int_equal(taken.type, LH_EVENT_BLOCK);
}

/* No rule is asked, of which some ask the kernel. */
static void test_call_that_nobody_wants_is_asked_nothing_in_strict_mode(void **state)
{
    (void)state;
    lh_options.strict = 1;
    assert_int_equal(lh_call_ask(LH_CALL_pause), LH_WAITS_ASK);
    lh_options.calls[LH_CALL_pause] = 0;
    assert_int_equal(lh_call_ask(LH_CALL_pause), LH_WAITS_UNWANTED);
    atomic_store(&lh_process->watchdog_call, 1); /* a fork has stopped it: it may have to start */
    assert_int_equal(lh_call_ask(LH_CALL_pause), LH_WAITS_ASK);
    atomic_store(&lh_process->watchdog_call, 0);
    lh_options_init(&lh_options);
    lh_options.threshold_ns = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_call_that_nobody_wants_is_asked_nothing_in_strict_mode, begin),
        cmocka_unit_test_setup(test_call_is_left_to_a_stall_where_it_may_be_outside_the_loop,
                               begin),
        cmocka_unit_test_setup(test_call_that_was_told_in_flight_ends_as_a_block_all_the_same,
                               begin),
        cmocka_unit_test_setup(test_call_inside_the_loop_is_a_block, begin),
    };
    return cmocka_run_group_tests(tests, make_process, NULL);
}
