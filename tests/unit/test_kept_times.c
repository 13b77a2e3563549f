/* SPDX-License-Identifier: Apache-2.0 */
/* The times of loop threads, from descriptors that stay open. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/state/state.h"
#include "preload/sys/fd.h"
#include "preload/sys/proc.h"
#include "preload/watchdog/kept_times.h"

static struct lh_slot *slot;

/* A thread that waits until it is to end. */
struct waiter {
    pthread_barrier_t at_begin, at_end;
    pthread_t thread;
    uint32_t tid;
};

static void *wait_for_end(void *argument)
{
    struct waiter *waiter = argument;
    waiter->tid = (uint32_t)syscall(SYS_gettid);
    pthread_barrier_wait(&waiter->at_begin);
    pthread_barrier_wait(&waiter->at_end);
    return NULL;
}

static void start(struct waiter *waiter)
{
    pthread_barrier_init(&waiter->at_begin, NULL, 2);
    pthread_barrier_init(&waiter->at_end, NULL, 2);
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_end, waiter), 0);
    pthread_barrier_wait(&waiter->at_begin);
}

/* And the kernel knows it no more. */
static void end(struct waiter *waiter)
{
    pthread_barrier_wait(&waiter->at_end);
    pthread_join(waiter->thread, NULL);
    while (syscall(SYS_tgkill, getpid(), waiter->tid, 0) == 0)
        sched_yield();
}

static int begin(void **state)
{
    (void)state;
    lh_process = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lh_process == MAP_FAILED)
        return -1;
    slot = lh_slot_take((uint32_t)syscall(SYS_gettid));
    lh_kept_times_begin();
    return 0;
}

static int give_back(void **state)
{
    (void)state;
    lh_kept_times_end(slot);
    return munmap(lh_process, sizeof(struct lh_process));
}

/* Of a thread that waits all the time nothing changes meanwhile. */
static void test_times_are_those_of_the_file_each_time(void **state)
{
    (void)state;
    struct waiter waiter;
    start(&waiter);
    (void)lh_kept_run_delay_ns(slot, waiter.tid);
    while (lh_proc_state(waiter.tid) != 'S')
        sched_yield();
    assert_int_not_equal(slot->kept_times, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(lh_kept_run_delay_ns(slot, waiter.tid), lh_proc_run_delay_ns(waiter.tid));
    end(&waiter);
}

/* As its number may be another thread's by now. */
static void test_thread_that_has_ended_is_noticed(void **state)
{
    (void)state;
    struct waiter waiter;
    start(&waiter);
    assert_int_not_equal(lh_kept_run_delay_ns(slot, waiter.tid), LH_UNKNOWN);
    end(&waiter);
    assert_int_equal(lh_kept_run_delay_ns(slot, waiter.tid), LH_UNKNOWN);
    assert_int_equal(slot->kept_times, 0);
}

static void test_next_thread_of_a_slot_has_its_own_times(void **state)
{
    (void)state;
    struct waiter first;
    struct waiter second;
    start(&first);
    start(&second);
    (void)lh_kept_run_delay_ns(slot, first.tid);
    (void)lh_kept_run_delay_ns(slot, second.tid);
    assert_int_equal(slot->kept_tid, second.tid); /* while the first one lives, too */
    end(&first);
    assert_int_not_equal(lh_kept_run_delay_ns(slot, second.tid), LH_UNKNOWN);
    end(&second);
}

static void test_descriptor_is_none_that_something_else_needs(void **state)
{
    (void)state;
    (void)lh_kept_run_delay_ns(slot, atomic_load(&slot->tid));
    int fd = (int)slot->kept_times - 1;
    assert_true(fd >= LH_FD_LIMIT_LEAST);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    lh_kept_times_end(slot);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_without_room_the_file_is_opened_each_time(void **state)
{
    (void)state;
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    const struct rlimit least = {LH_FD_LIMIT_LEAST, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &least), 0);
    uint64_t delay_ns = lh_kept_run_delay_ns(slot, atomic_load(&slot->tid));
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_not_equal(delay_ns, LH_UNKNOWN);
    assert_int_equal(slot->kept_times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_times_are_those_of_the_file_each_time, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_thread_that_has_ended_is_noticed, begin, give_back),
        cmocka_unit_test_setup_teardown(test_next_thread_of_a_slot_has_its_own_times, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_descriptor_is_none_that_something_else_needs, begin,
                                        give_back),
        cmocka_unit_test_setup_teardown(test_without_room_the_file_is_opened_each_time, begin,
                                        give_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
