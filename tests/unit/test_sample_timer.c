/* SPDX-License-Identifier: Apache-2.0 */
/* When a thread's samples begin. One that waits must not get ours as the first signal when another
 * one wakes it: the kernel would begin the call anew. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/ring.h"
#include "preload/iteration/sampler.h"
#include "preload/iteration/stall.h"
#include "preload/state/state.h"
#include "preload/sys/proc.h"
#include "preload/watchdog/sample_timer.h"

/* What waking a thread takes on the slowest of machines, and more. */
#define WAKING_NS (1000 * LH_NS_PER_US)

static struct lh_slot *slot;
static struct lh_ring ring = {.attached = 1};
static pthread_t thread;
static int bell[2];
static _Atomic int is_to_wait;

/* Computes, then waits in a read until the pipe is closed. */
static void *compute_and_wait(void *unused)
{
    char byte;
    atomic_store(&slot->tid, (uint32_t)syscall(SYS_gettid));
    while (atomic_load(&is_to_wait) == 0)
        continue;
    (void)!read(bell[0], &byte, 1);
    return unused;
}

static void wait_until_it_waits(void)
{
    atomic_store(&is_to_wait, 1);
    while (lh_proc_state(atomic_load(&slot->tid)) != 'S')
        continue;
}

static int begin(void **state)
{
    (void)state;
    lh_options_init(&lh_options);
    lh_process = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lh_process == MAP_FAILED || pipe(bell) != 0)
        return -1;
    atomic_store(&lh_process->ring, &ring);
    atomic_store(&is_to_wait, 0);
    slot = lh_slot_take((uint32_t)syscall(SYS_gettid));
    atomic_store(&slot->tid, 0);
    lh_stall_begin(slot);
    if (pthread_create(&thread, NULL, compute_and_wait, NULL) != 0)
        return -1;
    while (atomic_load(&slot->tid) == 0)
        continue;
    return 0;
}

static int end(void **state)
{
    (void)state;
    atomic_store(&is_to_wait, 1);
    close(bell[1]);
    pthread_join(thread, NULL);
    close(bell[0]);
    lh_sampler_free(slot);
    return munmap(lh_process, sizeof(struct lh_process));
}

static void tick(uint64_t ran_ns)
{
    lh_sample_timer_tick(slot, atomic_load(&slot->iteration_id), ran_ns);
}

/* How long the thread has yet to run until its next sample. */
static int64_t to_run_ns(void)
{
    struct itimerspec left = {0};
    int64_t timer = atomic_load(&slot->timer);
    assert_true(timer > 0);
    assert_int_equal(syscall(SYS_timer_gettime, timer - 1, &left), 0);
    return left.it_value.tv_sec * LH_NS_PER_S + left.it_value.tv_nsec;
}

static void test_thread_that_waits_is_woken_before_its_first_sample(void **state)
{
    (void)state;
    wait_until_it_waits();
    tick(1);
    assert_true(to_run_ns() >= WAKING_NS);
}

static void test_sample_of_a_thread_that_begins_to_wait_is_put_off(void **state)
{
    (void)state;
    tick(1);
    wait_until_it_waits();
    lh_sampler_set_timer((int)atomic_load(&slot->timer) - 1, 1, 0); /* one is about to come */
    tick(1);
    assert_true(to_run_ns() < WAKING_NS); /* it has run: more samples than looks at its waits */
    tick(0);
    assert_true(to_run_ns() >= WAKING_NS);
}

/* Else a thread that is woken and woken would have none. */
static void test_sample_is_put_off_once_in_a_wait(void **state)
{
    (void)state;
    wait_until_it_waits();
    tick(0);
    lh_sampler_set_timer((int)atomic_load(&slot->timer) - 1, 1, 0);
    tick(0);
    assert_true(to_run_ns() < WAKING_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_thread_that_waits_is_woken_before_its_first_sample,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_sample_of_a_thread_that_begins_to_wait_is_put_off,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_sample_is_put_off_once_in_a_wait, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
