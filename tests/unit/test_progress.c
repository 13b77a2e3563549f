/* SPDX-License-Identifier: Apache-2.0 */
/* When an iteration is told while it lasts, and by whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/iteration/progress.h"
#include "preload/state/state.h"
#include "preload/sys/clock.h"

#define THRESHOLD_NS ((uint64_t)(100 * LH_NS_PER_MS))
#define ITERATION    7u
#define ID           3u

static struct lh_slot *slot;

static int take_slot(void **state)
{
    (void)state;
    lh_options_init(&lh_options);
    lh_options.threshold_ns = THRESHOLD_NS;
    lh_process = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lh_process == MAP_FAILED)
        return -1;
    slot = lh_slot_take((uint32_t)syscall(SYS_gettid));
    atomic_store(&slot->progress_next_ns, 0);
    atomic_store(&slot->iteration_id, ITERATION);
    return slot == NULL ? -1 : 0;
}

static int give_back(void **state)
{
    (void)state;
    return munmap(lh_process, sizeof(struct lh_process));
}

static bool should_report(uint64_t elapsed_ns, uint64_t *id)
{
    struct lh_progress progress = {.elapsed_ns = elapsed_ns, .age_ns = elapsed_ns};
    bool should = lh_progress_should_report(slot, ITERATION, &progress);
    *id = progress.id;
    return should;
}

static void test_it_is_told_at_the_threshold_and_at_doubling_times(void **state)
{
    uint64_t first;
    uint64_t id;
    (void)state;
    assert_false(should_report(THRESHOLD_NS - 1, &id));
    assert_true(should_report(THRESHOLD_NS, &first));
    assert_int_not_equal(first, 0);
    assert_false(should_report(2 * THRESHOLD_NS - 1, &id));
    assert_true(should_report(5 * THRESHOLD_NS, &id));
    assert_int_equal(id, first);
    assert_int_equal(lh_progress_due_ns(slot, ITERATION), 8 * THRESHOLD_NS);
}

/* A signal has come, or the watchdog, after the first look has taken the iteration and before it
 * has said when the next one is due. That is still 0. */
static void test_what_has_just_begun_is_told_by_who_comes_next(void **state)
{
    uint64_t id;
    (void)state;
    atomic_store(&slot->progress, (uint64_t)ITERATION << 32 | ID);
    alarm(60); /* what would be endless is a failure */
    assert_int_equal(lh_progress_due_ns(slot, ITERATION), THRESHOLD_NS);
    assert_false(should_report(THRESHOLD_NS - 1, &id));
    assert_true(should_report(THRESHOLD_NS, &id));
    assert_int_equal(id, ID);
    alarm(0);
    assert_int_equal(lh_progress_due_ns(slot, ITERATION), 2 * THRESHOLD_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_is_told_at_the_threshold_and_at_doubling_times,
                                        take_slot, give_back),
        cmocka_unit_test_setup_teardown(test_what_has_just_begun_is_told_by_who_comes_next,
                                        take_slot, give_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
