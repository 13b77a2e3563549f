/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a lock without waiting: only where the call itself would accept its arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/wrap/trylock.h"

static const struct timespec good = {0, 0};
static const struct timespec bad = {0, 1000000000};

static void test_free_locks_are_taken(void **state)
{
    (void)state;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    assert_int_equal(lh_mutex_try(&mutex, CLOCK_MONOTONIC), 0);
    assert_int_equal(lh_mutex_try(&mutex, CLOCK_MONOTONIC), EBUSY);
    assert_int_equal(lh_rdlock_try(&lock, CLOCK_REALTIME, &good), 0);
    assert_int_equal(lh_rdlock_try(&lock, CLOCK_REALTIME, &good), 0);
    assert_int_equal(lh_wrlock_try(&lock, CLOCK_REALTIME, &good), EBUSY);
}

/* The same arguments, asked of glibc itself: what it refuses, a try must not grant. */
static void test_what_glibc_refuses_is_not_taken(void **state)
{
    (void)state;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    assert_int_equal(pthread_mutex_clocklock(&mutex, CLOCK_BOOTTIME, &good), EINVAL);
    assert_int_equal(lh_mutex_try(&mutex, CLOCK_BOOTTIME), EINVAL);
    assert_int_equal(pthread_rwlock_timedrdlock(&lock, &bad), EINVAL);
    assert_int_equal(lh_rdlock_try(&lock, CLOCK_REALTIME, &bad), EINVAL);
    assert_int_equal(pthread_rwlock_clockwrlock(&lock, CLOCK_BOOTTIME, &good), EINVAL);
    assert_int_equal(lh_wrlock_try(&lock, CLOCK_BOOTTIME, &good), EINVAL);
    assert_int_equal(pthread_rwlock_timedwrlock(&lock, &bad), EINVAL);
    assert_int_equal(lh_wrlock_try(&lock, CLOCK_REALTIME, &bad), EINVAL);
}

/* And what it grants without a look at the deadline, a try grants too. */
static void test_deadline_of_a_free_mutex_does_not_matter(void **state)
{
    (void)state;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    assert_int_equal(pthread_mutex_timedlock(&mutex, &bad), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(lh_mutex_try(&mutex, CLOCK_REALTIME), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_locks_are_taken),
        cmocka_unit_test(test_what_glibc_refuses_is_not_taken),
        cmocka_unit_test(test_deadline_of_a_free_mutex_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
