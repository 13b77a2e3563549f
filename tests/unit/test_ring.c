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
    struct lh_record *record = lh_ring_reserve(ring, 0);
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
    struct lh_record *first = lh_ring_reserve(ring, 0);
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

/* Of any size, with something to know it by at both ends of its stack. */
static bool put_sized(struct lh_ring *ring, uint64_t id)
{
    struct lh_record *record = lh_ring_reserve(ring, 32768);
    if (record == NULL)
        return false;
    record->id = id;
    record->stack_length = 8 + (uint32_t)(id * 2654435761u % 32000);
    memcpy(record->stack, &id, sizeof(id));
    memcpy(record->stack + record->stack_length - sizeof(id), &id, sizeof(id));
    lh_ring_commit(ring, record);
    return true;
}

static void assert_is_whole(void)
{
    assert_memory_equal(taken.stack + taken.stack_length - sizeof(taken.id), &taken.id,
                        sizeof(taken.id));
    if (taken.stack_length >= 2 * sizeof(taken.id))
        assert_memory_equal(taken.stack, &taken.id, sizeof(taken.id));
}

static void *write_many(void *argument)
{
    static _Atomic uint64_t names;
    struct lh_ring *ring = argument;
    uint64_t name = atomic_fetch_add(&names, 1) % WRITERS;
    for (uint64_t i = 0; i < PER_WRITER;)
        i += put_sized(ring, name * PER_WRITER + i);
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
            assert_is_whole();
        }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
        assert_int_equal(next[i], PER_WRITER);
    }
    assert_false(lh_ring_take(ring, &position, &taken));
    assert_int_equal(lh_room_in_use(&ring->room), 0);
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
    taken.js_count = 1;
    taken.js[0] = (struct lh_js_frame){.function = 2, .how = LH_JS_START};
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
    REFUSED(js_count = LH_JS_FRAMES + 1);
    REFUSED(js[0].script = 4);
    REFUSED(js[0].function = 4);
    REFUSED(js[0].kind = LH_JS_KIND_COUNT);
    REFUSED(js[0].how = LH_JS_HOW_COUNT);
    REFUSED(js[0].of_class = 4);
    REFUSED(js[0].text = 4);
    REFUSED(js[0].about = LH_JS_ABOUT_COUNT);
    REFUSED(task.name = 4);
    REFUSED(task.coroutine = 4);
    REFUSED(awaited.kind = LH_AWAITED_COUNT);
    REFUSED(awaited.candidate_count = LH_CANDIDATES + 1);
    REFUSED(awaited = ((struct lh_awaited){.has_coroutine = 1, .coroutine = 4}));
    REFUSED(awaited =
                ((struct lh_awaited){.candidate_count = 1, .candidates = {{.python_count = 2}}}));
    REFUSED(awaited = ((struct lh_awaited){
                .is_suspended = 1, .candidate_count = 1, .candidates = {{.python_count = 1}}}));
    good_record();
    taken.js_count = taken.python_count = taken.strings_length =
        0; /* a task alone needs strings too */
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
    static struct lh_ring_copied copied;
    struct lh_record copy;
    uint64_t position = 0;
    assert_true(put(old, 7));
    struct lh_record *unwritten = lh_ring_reserve(old, 0);
    lh_ring_take_over(&ring, old, &copied);
    /* The new one takes the place of the old: its writer goes on where it was. */
    struct lh_record *here =
        (struct lh_record *)(ring.records + ((uint8_t *)unwritten - old->records));
    here->position = unwritten->position;
    here->units = unwritten->units;
    assert_true(put(&ring, 9)); /* not there */
    here->id = 8;
    lh_ring_commit(&ring, here);
    assert_true(lh_ring_take(&ring, &position, &copy));
    assert_int_equal(copy.id, 7);
    assert_true(lh_ring_take(&ring, &position, &copy));
    assert_int_equal(copy.type, LH_EVENT_LOST);
    assert_true(lh_record_check(&copy));
    assert_int_equal(atomic_load(&ring.totals.dropped), 1);
    assert_true(lh_ring_take(&ring, &position, &copy));
    assert_int_equal(copy.id, 9);
    assert_false(lh_ring_take(&ring, &position, &copy));
    assert_int_equal(lh_room_in_use(&ring.room), 0);
}

/* Between the copy and the change of place: threads still write to the old ring. */
static void test_what_was_written_to_the_old_ring_meanwhile_is_counted(void **state)
{
    struct lh_ring *old = *state;
    static struct lh_ring ring;
    static struct lh_ring_copied copied;
    uint64_t position = 0;
    atomic_store(&old->totals.blocks, 5);
    memset(&ring, 0, sizeof(ring));
    assert_true(put(old, 1));
    lh_ring_take_over(&ring, old, &copied);
    atomic_fetch_add(&old->totals.blocks, 2);
    assert_true(put(old, 2));
    struct lh_record *late = lh_ring_reserve(old, 0);
    struct lh_record *here = (struct lh_record *)(ring.records + ((uint8_t *)late - old->records));
    here->position = late->position;
    here->units = late->units;
    here->ring = late->ring;
    lh_ring_settle(&ring, old, &copied);
    lh_ring_commit(&ring, here); /* not there */
    assert_int_equal(atomic_load(&ring.totals.blocks), 7);
    assert_int_equal(atomic_load(&ring.totals.dropped), 2);
    assert_true(put(&ring, 4));
    assert_true(put(&ring, 5));
    uint64_t left = 0; /* to a reader that still has the old one */
    assert_false(lh_ring_take(old, &left, &taken));
    static const uint64_t ids[] = {1, 4, 5};
    for (int i = 0; i < 3; i++) {
        assert_true(lh_ring_take(&ring, &position, &taken));
        assert_int_equal(taken.id, ids[i]);
    }
    assert_false(lh_ring_take(&ring, &position, &taken));
}

static void test_writer_of_a_ring_that_makes_no_sense_gives_up(void **state)
{
    struct lh_ring *ring = *state;
    for (uint64_t i = 0; i < LH_RING_CELLS; i++)
        atomic_store(&ring->cells[i], UINT64_MAX / 4);
    assert_null(lh_ring_reserve(ring, 0));
    assert_int_equal(lh_room_in_use(&ring->room), 0);
}

/* ---- the room that records take ---- */

#define STACK_ASKED 65536u /* by default */

#define USUAL_TAGS "test_price[EUR]"

/* As large as those of a Python server. */
static bool put_usual(struct lh_ring *ring, uint64_t id)
{
    struct lh_record *record = lh_ring_reserve(ring, STACK_ASKED);
    if (record == NULL)
        return false;
    record->id = id;
    record->tags.length = sizeof(USUAL_TAGS);
    memcpy(record->tags.text, USUAL_TAGS, sizeof(USUAL_TAGS));
    record->python_count = 30;
    record->strings_length = 2000;
    record->stack_length = 9000;
    record->python[29].line = (uint32_t)id;
    memset(record->strings, 'a' + (int)(id % 26), record->strings_length);
    memset(record->stack, (int)id, record->stack_length);
    lh_ring_commit(ring, record);
    return true;
}

static void assert_usual(uint64_t id)
{
    assert_int_equal(taken.id, id);
    assert_int_equal(taken.tags.length, sizeof(USUAL_TAGS));
    assert_string_equal(taken.tags.text, USUAL_TAGS);
    assert_int_equal(taken.python_count, 30);
    assert_int_equal(taken.strings_length, 2000);
    assert_int_equal(taken.stack_length, 9000);
    assert_int_equal(taken.python[29].line, id);
    for (uint32_t i = 0; i < taken.strings_length; i++)
        assert_int_equal(taken.strings[i], 'a' + (int)(id % 26));
    for (uint32_t i = 0; i < taken.stack_length; i++)
        assert_int_equal(taken.stack[i], id & 0xff);
}

static void test_a_thousand_usual_records_wait_at_once(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    for (uint64_t id = 1; id <= 1024; id++)
        assert_true(put_usual(ring, id));
    for (uint64_t id = 1; id <= 1024; id++) {
        assert_true(lh_ring_take(ring, &position, &taken));
        assert_usual(id);
    }
    assert_int_equal(lh_room_in_use(&ring->room), 0);
}

static void test_what_has_been_read_is_written_to_again_before_what_is_untouched(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    for (uint64_t id = 1; id <= 3 * LH_RING_CELLS; id++) {
        struct lh_record *record = lh_ring_reserve(ring, STACK_ASKED);
        assert_ptr_equal(record, ring->records);
        lh_ring_commit(ring, record);
        assert_true(lh_ring_take(ring, &position, &taken));
    }
}

static void test_writers_get_no_more_room_than_there_is(void **state)
{
    struct lh_ring *ring = *state;
    struct lh_record *first = lh_ring_reserve(ring, LH_STACK_BYTES);
    struct lh_record *record;
    uint64_t count = 1;
    for (; (record = lh_ring_reserve(ring, UINT32_MAX)) != NULL; count++) {
        size_t end = (size_t)((uint8_t *)record - ring->records) + sizeof(*record);
        assert_in_range(end, sizeof(*record), sizeof(ring->records));
    }
    assert_int_equal(count, LH_ROOM_UNITS / first->units);
    assert_int_equal(atomic_load(&ring->head), count);
    lh_ring_commit(ring, first);
    assert_non_null(lh_ring_reserve(ring, 100000));
}

static void test_ring_is_calm_and_has_room_before_it_is_full(void **state)
{
    struct lh_ring *ring = *state;
    assert_true(lh_ring_is_calm(ring) && lh_ring_has_room(ring));
    for (uint64_t id = 1; id <= 400; id++)
        assert_true(put_usual(ring, id));
    assert_true(!lh_ring_is_calm(ring) && lh_ring_has_room(ring));
    for (uint64_t id = 401; id <= 700; id++)
        assert_true(put_usual(ring, id));
    assert_false(lh_ring_has_room(ring));
}

static void test_what_must_not_be_lost_finds_room_where_others_leave_it(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t id = 0;
    while (lh_ring_has_spare(ring))
        assert_true(put_usual(ring, ++id));
    assert_true(id > 900);
    assert_false(lh_ring_has_room(ring));
    assert_true(put_usual(ring, ++id));
}

static void test_samples_that_nobody_reads_make_room(void **state)
{
    struct lh_ring *ring = *state;
    for (uint64_t id = 0; id < 3; id++) {
        struct lh_record *record = lh_ring_reserve(ring, STACK_ASKED);
        record->type = id < 2 ? LH_EVENT_SAMPLE : LH_EVENT_BLOCK;
        record->id = id;
        lh_ring_commit(ring, record);
    }
    lh_ring_forget_samples(ring);
    uint64_t position = lh_ring_resume(ring);
    assert_int_equal(position, 2);
    assert_int_equal(atomic_load(&ring->written), 2);
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_int_equal(taken.id, 2);
    assert_int_equal(lh_room_in_use(&ring->room), 0);
}

/* ---- a hostile program ---- */

static void test_cell_that_leads_anywhere_else_is_read_as_no_record(void **state)
{
    static const uint64_t places[] = {
        LH_RING_PLACE,                           /* beyond the end */
        (uint64_t)(LH_ROOM_UNITS - 1) << 10 | 3, /* across it */
        1,                                       /* less than any record has */
        2 << 10 | 4,                             /* what has lengths beyond its end */
    };
    struct lh_ring *ring = *state;
    memset(ring->records, 0xff, 65536);
    for (uint64_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint64_t position = i;
        atomic_store(&ring->cells[i], (LH_RING_PLACE + 1) | places[i]);
        assert_true(lh_ring_take(ring, &position, &taken));
        assert_false(lh_record_check(&taken));
        assert_int_equal(position, i + 1);
    }
    assert_int_equal(lh_room_in_use(&ring->room), 0);
}

static void test_lengths_beyond_what_a_cell_has_are_refused(void **state)
{
    static const struct {
        uint32_t python_count, strings_length, stack_length;
    } bad[] = {{LH_PYTHON_FRAMES, 0, 0}, {0, LH_STRING_BYTES, 0}, {0, 0, LH_STACK_BYTES},
               {UINT32_MAX, 0, 0},       {0, UINT32_MAX, 0},      {0, 0, UINT32_MAX}};
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lh_record *record = lh_ring_reserve(ring, 0);
        lh_ring_commit(ring, record);
        atomic_store(&ring->cells[position], (LH_RING_PLACE + 1) | 3);
        record->python_count = bad[i].python_count;
        record->strings_length = bad[i].strings_length;
        record->stack_length = bad[i].stack_length;
        record->packed = 1;
        assert_true(lh_ring_take(ring, &position, &taken));
        assert_false(lh_record_check(&taken));
    }
}

static void test_writer_whose_record_was_written_to_stays_in_its_room(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    struct lh_record *record = lh_ring_reserve(ring, 0);
    struct lh_record *next = lh_ring_reserve(ring, 0);
    next->id = 5;
    uint32_t units = record->units;
    memset(&record->type, 0xff,
           offsetof(struct lh_record, python) - offsetof(struct lh_record, type));
    lh_ring_commit(ring, record);
    assert_int_equal(record->units, units);
    lh_ring_commit(ring, next);
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_false(lh_record_check(&taken));
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_int_equal(taken.id, 5);
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, make_ring, free_ring)

static void test_frames_of_javascript_are_whole_where_a_record_is_packed(void **state)
{
    struct lh_ring *ring = *state;
    uint64_t position = 0;
    for (uint64_t id = 1; id <= 200; id++) /* the first ones are not */
        assert_true(put_usual(ring, id));
    struct lh_record *record = lh_ring_reserve(ring, STACK_ASKED);
    assert_non_null(record);
    record->python_count = 3;
    record->js_count = 5;
    record->strings_length = 3;
    for (uint32_t i = 0; i < record->js_count; i++)
        record->js[i] = (struct lh_js_frame){.fp = 0x1000 + i, .line = 10 + i, .column = 20 + i};
    memcpy(record->strings, "js", 3);
    lh_ring_commit(ring, record);
    for (uint64_t id = 1; id <= 200; id++)
        assert_true(lh_ring_take(ring, &position, &taken));
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_int_equal(taken.packed, 1);
    assert_int_equal(taken.js_count, 5);
    for (uint32_t i = 0; i < taken.js_count; i++) {
        assert_int_equal(taken.js[i].fp, 0x1000 + i);
        assert_int_equal(taken.js[i].line, 10 + i);
        assert_int_equal(taken.js[i].column, 20 + i);
    }
    assert_string_equal(taken.strings, "js");
}

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
        RING_TEST(test_what_was_written_to_the_old_ring_meanwhile_is_counted),
        RING_TEST(test_writer_of_a_ring_that_makes_no_sense_gives_up),
        RING_TEST(test_a_thousand_usual_records_wait_at_once),
        RING_TEST(test_what_has_been_read_is_written_to_again_before_what_is_untouched),
        RING_TEST(test_writers_get_no_more_room_than_there_is),
        RING_TEST(test_ring_is_calm_and_has_room_before_it_is_full),
        RING_TEST(test_what_must_not_be_lost_finds_room_where_others_leave_it),
        RING_TEST(test_samples_that_nobody_reads_make_room),
        RING_TEST(test_cell_that_leads_anywhere_else_is_read_as_no_record),
        RING_TEST(test_lengths_beyond_what_a_cell_has_are_refused),
        RING_TEST(test_writer_whose_record_was_written_to_stays_in_its_room),
        cmocka_unit_test(test_record_with_anything_out_of_bounds_is_refused),
        RING_TEST(test_frames_of_javascript_are_whole_where_a_record_is_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
