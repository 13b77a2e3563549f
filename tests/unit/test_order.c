/* SPDX-License-Identifier: Apache-2.0 */
/* What threads that share memory without locks see of each other: the places where a processor that
 * reorders loads and stores (64-bit Arm) would show what never was. Each goes on for
 * LOOPHOUND_STRESS_SECONDS (1); `make stress` takes a minute for each, which says something on such
 * a processor only: x86-64, and an emulated one on it, keeps the order of stores by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/ring.h"
#include "preload/state/record.h"
#include "preload/state/state.h"
#include "preload/state/wake.h"
#include "preload/sys/clock.h"
#include "preload/sys/futex.h"
#include "preload/wrap/scope.h"
#include "thread_sanitizer.h"

#define LONG_NS (60 * LH_NS_PER_S) /* no wake-up takes as long */

#define LOOKS 1024 /* between two at the clock */

static int64_t end_ns;

static bool is_over(void)
{
    return lh_clock_ns(CLOCK_MONOTONIC) >= end_ns;
}

static int begin(void **state)
{
    const char *seconds = getenv("LOOPHOUND_STRESS_SECONDS");
    (void)state;
    lh_options_init(&lh_options);
    lh_process = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    end_ns = lh_clock_ns(CLOCK_MONOTONIC) + (seconds != NULL ? atol(seconds) : 1) * LH_NS_PER_S;
    return lh_process == MAP_FAILED ? -1 : 0;
}

static int give_back(void **state)
{
    (void)state;
    return munmap(lh_process, sizeof(struct lh_process));
}

static pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, argument), 0);
    return thread;
}

/* ---- a call, and the watchdog that copies it ---- */

static _Atomic bool stops;

/* Which call it is follows from its number, and it is about the moment before it began. */
static void *make_calls(void *argument)
{
    lh_self.slot = argument;
    for (uint64_t number = 1; !atomic_load_explicit(&stops, memory_order_relaxed); number++) {
        struct lh_scope scope;
        lh_scope_enter(&scope, (uint32_t)(number % lh_call_count()), lh_counter());
        for (volatile uint64_t i = number % 64; i > 0; i--)
            ; /* most copies are of a call that goes on */
        (void)lh_scope_leave(&scope);
    }
    return NULL;
}

static void test_copy_of_a_call_is_of_one_call(void **state)
{
    (void)state;
    skip_under_thread_sanitizer(); /* its fields are plain: who reads them looks at the number twice
                                    */
    struct lh_slot *slot = lh_slot_take(1);
    struct lh_call_copy copy;
    uint64_t copies = 0;
    uint64_t latest = 0;
    uint64_t latest_start = 0;
    atomic_store(&stops, false);
    pthread_t owner = start(make_calls, slot);
    for (uint64_t looks = 1; looks % LOOKS != 0 || copies == 0 || !is_over(); looks++) {
        if (!lh_call_copy_consistent(slot, &copy))
            continue;
        copies++;
        assert_int_equal(copy.call, copy.seq % lh_call_count());
        assert_true(copy.seq >= latest);
        /* Of one call: its start is not before what it is about, nor that before the last start. */
        assert_true(copy.start >= copy.operand);
        assert_true(copy.operand >= latest_start || copy.seq == latest);
        latest = copy.seq;
        latest_start = copy.start;
    }
    atomic_store(&stops, true);
    pthread_join(owner, NULL);
}

/* ---- a record, and the reader that sleeps until there is one ---- */

static struct lh_ring *ring;
static _Atomic uint64_t taken; /* so many records */

/* At once, or after the reader has had time to fall asleep, or anything between. */
static void *write_one_by_one(void *unused)
{
    uint64_t random = 88172645463325252ULL;
    (void)unused;
    for (uint64_t id = 1; !is_over(); id++) {
        struct lh_record *record = lh_ring_reserve(ring, 64);
        record->id = id;
        record->stack_length = sizeof(id);
        memcpy(record->stack, &id, sizeof(id));
        lh_ring_commit(ring, record);
        lh_wake_reader(ring);
        while (atomic_load(&taken) < id)
            ;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        for (volatile uint64_t i = random % 2000; i > 0; i--)
            ;
    }
    atomic_store(&stops, true);
    atomic_fetch_add(&ring->wake, 1);
    lh_wake_reader(ring);
    return NULL;
}

/* The reader's part is that of the collector (watched_thread.c). */
static void test_reader_that_sleeps_is_woken_for_each_record(void **state)
{
    static struct lh_record copy;
    (void)state;
    uint64_t position = 0;
    ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(ring, MAP_FAILED);
    lh_ring_init(ring, 1, &lh_options);
    atomic_store(&ring->attached, 1);
    atomic_store(&stops, false);
    pthread_t writer = start(write_one_by_one, NULL);
    while (!atomic_load(&stops)) {
        uint32_t wake = atomic_load(&ring->wake);
        if (lh_ring_take(ring, &position, &copy)) {
            assert_int_equal(copy.id, position);
            assert_int_equal(copy.stack_length, sizeof(copy.id));
            assert_memory_equal(copy.stack, &copy.id, sizeof(copy.id));
            atomic_store(&taken, position);
            continue;
        }
        atomic_store(&ring->sleeps, 1);
        assert_int_not_equal(lh_futex_wait(&ring->wake, wake, LONG_NS, true), -ETIMEDOUT);
        atomic_store(&ring->sleeps, 0);
    }
    pthread_join(writer, NULL);
    assert_true(position > 0);
    munmap(ring, sizeof(*ring));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, give_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_copy_of_a_call_is_of_one_call),
        TEST(test_reader_that_sleeps_is_woken_for_each_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
