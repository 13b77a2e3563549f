/* SPDX-License-Identifier: Apache-2.0 */
/* The queue between the program and the collector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "common/ring.h"
#include "new_ring.h"

static int make_ring(void **state)
{
    struct lh_options options;
    struct lh_ring *ring = new_ring();
    if (ring == NULL)
        return -1;
    lh_options_init(&options);
    lh_ring_init(ring, 42, &options);
    *state = ring;
    return 0;
}

static int free_ring(void **state)
{
    free(*state);
    return 0;
}

static bool put(struct lh_ring *ring, uint64_t id)
{
    struct lh_record *record = lh_ring_reserve(ring);
    if (record == NULL)
        return false;
    record->id = id;
    lh_ring_commit(ring, record);
    return true;
}

static struct lh_record taken; /* too large for the stack */

static void test_records_come_out_in_the_order_of_their_places(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    for (uint64_t id = 1; id <= 3 * LH_RING_CELLS; id++) {
        assert_true(put(ring, id));
        assert_true(lh_ring_take(ring, &position, &taken));
        assert_int_equal(taken.id, id);
    }
    assert_int_equal(position, 3 * LH_RING_CELLS);
    assert_false(lh_ring_take(ring, &position, &taken));
}

static void test_full_queue_refuses_and_takes_again_when_read(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    for (uint64_t id = 0; id < LH_RING_CELLS; id++)
        assert_true(put(ring, id));
    assert_false(put(ring, 99));
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_true(put(ring, 100));
    assert_false(put(ring, 101));
}

static void test_reserved_record_is_not_read_before_its_commit(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    struct lh_record *first = lh_ring_reserve(ring);
    assert_true(put(ring, 2));
    assert_false(lh_ring_take(ring, &position, &taken));
    first->id = 1;
    lh_ring_commit(ring, first);
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_int_equal(taken.id, 1);
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_int_equal(taken.id, 2);
}

static void test_commit_raises_the_word_the_reader_waits_on(void **state)
{
    struct lh_ring *ring = *state;
    uint32_t before = atomic_load(&ring->wake);
    assert_true(put(ring, 1));
    assert_int_not_equal(atomic_load(&ring->wake), before);
}

static void test_new_reader_begins_where_the_old_one_stopped(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    assert_int_equal(lh_ring_resume(ring), 0);
    for (uint64_t id = 0; id < LH_RING_CELLS + 5; id++) {
        if (id >= LH_RING_CELLS)
            assert_true(lh_ring_take(ring, &position, &taken));
        assert_true(put(ring, id));
    }
    assert_int_equal(lh_ring_resume(ring), 5);
}

#define WRITERS    4
#define PER_WRITER 20000

static void *write_many(void *argument)
{
    static _Atomic uint64_t names;
    struct lh_ring *ring = argument;
    uint64_t name = atomic_fetch_add(&names, 1) % WRITERS;
    for (uint64_t i = 0; i < PER_WRITER;)
        i += put(ring, name * PER_WRITER + i);
    return NULL;
}

static void test_writers_at_the_same_time_lose_and_double_nothing(void **state)
{
    struct lh_ring *ring = *state;
    static uint64_t next[WRITERS];
    pthread_t writers[WRITERS];
    uint64_t position = 0;
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_many, ring), 0);
    while (position < (uint64_t)WRITERS * PER_WRITER)
        if (lh_ring_take(ring, &position, &taken)) {
            /* Each writer's own records stay in its order. */
            assert_int_equal(taken.id % PER_WRITER, next[taken.id / PER_WRITER]);
            next[taken.id / PER_WRITER]++;
        }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
        assert_int_equal(next[i], PER_WRITER);
    }
    assert_false(lh_ring_take(ring, &position, &taken));
}

static void good_record(void)
{
    memset(&taken, 0, sizeof(taken));
    taken.type = LH_EVENT_BLOCK;
    taken.python_count = 1;
    taken.strings_length = 4;
    memcpy(taken.strings, "a\0b", 4);
    taken.python[0].function = 2;
    taken.task = (struct lh_python_task){.has_name = 1, .name = 2, .has_coroutine = 1};
}

static void test_record_with_anything_out_of_bounds_is_refused(void **state)
{
    (void)state;
    good_record();
    assert_true(lh_record_check(&taken));
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        good_record();                                                                             \
        taken.change;                                                                              \
        assert_false(lh_record_check(&taken));                                                     \
    } while (0)
    REFUSED(type = LH_EVENT_COUNT);
    REFUSED(call = lh_call_count());
    REFUSED(group = LH_GROUP_COUNT);
    REFUSED(reason = LH_REASON_STRICT + 1);
    REFUSED(found = LH_FOUND_COUNT);
    REFUSED(resource.kind = LH_RESOURCE_COUNT);
    REFUSED(resource.length = sizeof(taken.resource.text) + 1);
    REFUSED(stack_length = LH_STACK_BYTES + 1);
    REFUSED(python_count = LH_PYTHON_FRAMES + 1);
    REFUSED(strings_length = LH_STRING_BYTES + 1);
    REFUSED(strings_length = 0);
    REFUSED(strings[3] = 'x');
    REFUSED(python[0].file = 4);
    REFUSED(python[0].function = 4);
    REFUSED(task.name = 4);
    REFUSED(task.coroutine = 4);
    REFUSED(awaited.kind = LH_AWAITED_COUNT);
    REFUSED(awaited.candidate_count = LH_CANDIDATES + 1);
    REFUSED(awaited = ((struct lh_awaited){.has_coroutine = 1, .coroutine = 4}));
    REFUSED(awaited =
                ((struct lh_awaited){.candidate_count = 1, .candidates = {{.python_count = 2}}}));
    good_record();
    taken.python_count = taken.strings_length = 0; /* a task alone needs strings too */
    assert_false(lh_record_check(&taken));
    taken.task = (struct lh_python_task){0};
    assert_true(lh_record_check(&taken));
    taken.awaited.has_coroutine = 1;
    assert_false(lh_record_check(&taken));
#undef REFUSED
    good_record();
    memset(taken.thread, 'x', sizeof(taken.thread));
    assert_false(lh_record_check(&taken));
}

static void test_ring_that_takes_over_holds_what_is_written_and_counts_what_is_not(void **state)
{
    struct lh_ring *old = *state;
    static struct lh_ring ring;
    struct lh_record copy;
    uint64_t position = 0;
    lh_ring_commit(old, lh_ring_reserve(old));
    struct lh_record *unwritten = lh_ring_reserve(old);
    old->cells[0].id = 7;
    lh_ring_take_over(&ring, old);
    lh_ring_commit(&ring, &ring.cells[unwritten - old->cells]);
    lh_ring_commit(&ring, lh_ring_reserve(&ring));
    assert_true(lh_ring_take(&ring, &position, &copy));
    assert_int_equal(copy.id, 7);
    assert_true(lh_ring_take(&ring, &position, &copy));
    assert_int_equal(copy.type, LH_EVENT_LOST);
    assert_true(lh_ring_take(&ring, &position, &copy));
    assert_false(lh_ring_take(&ring, &position, &copy));
}

static void test_writer_of_a_ring_that_makes_no_sense_gives_up(void **state)
{
    struct lh_ring *ring = *state;
    for (uint64_t i = 0; i < LH_RING_CELLS; i++)
        atomic_store(&ring->cells[i].seq, UINT64_MAX / 4);
    assert_null(lh_ring_reserve(ring));
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, make_ring, free_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(test_records_come_out_in_the_order_of_their_places),
        RING_TEST(test_full_queue_refuses_and_takes_again_when_read),
        RING_TEST(test_reserved_record_is_not_read_before_its_commit),
        RING_TEST(test_commit_raises_the_word_the_reader_waits_on),
        RING_TEST(test_new_reader_begins_where_the_old_one_stopped),
        RING_TEST(test_writers_at_the_same_time_lose_and_double_nothing),
        RING_TEST(test_ring_that_takes_over_holds_what_is_written_and_counts_what_is_not),
        RING_TEST(test_writer_of_a_ring_that_makes_no_sense_gives_up),
        cmocka_unit_test(test_record_with_anything_out_of_bounds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
