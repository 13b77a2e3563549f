/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over Python frames where no real interpreter leads it: broken, endless and too long
 * chains. That real ones are told right is tests/e2e/test_python_walk.py's to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/noise.h"
#include "preload/python/marks.h"
#include "preload/python/walk.h"
#include "python_thread.h"

static void walk(uint32_t most)
{
    lh_python_walk(&layout, &direct, (uintptr_t)&thread, most, &record);
    assert_true(lh_record_check(&record));
}

static void assert_frame(uint32_t index, int which)
{
    char name[16];
    snprintf(name, sizeof(name), "f%d", which);
    assert_true(index < record.python_count);
    assert_string_equal(record.strings + record.python[index].file, "app.py");
    assert_string_equal(record.strings + record.python[index].function, name);
    assert_int_equal(record.python[index].line, 10 + which);
}

static void test_frames_are_told_innermost_first(void **state)
{
    (void)state;
    walk(FRAMES);
    assert_int_equal(record.python_count, LH_PYTHON_FRAMES);
    for (int i = 0; i < (int)LH_PYTHON_FRAMES; i++)
        assert_frame((uint32_t)i, i);
}

static void test_no_more_frames_than_asked_for(void **state)
{
    (void)state;
    walk(0);
    assert_int_equal(record.python_count, 0);
    walk(3);
    assert_int_equal(record.python_count, 3);
    assert_int_equal(record.python_cut, 1);
}

static void test_a_chain_that_ends_is_not_cut(void **state)
{
    (void)state;
    frames[2].previous = NULL;
    walk(3);
    assert_int_equal(record.python_count, 3);
    assert_int_equal(record.python_cut, 0);
}

static void test_frames_are_added_to_those_in_the_record(void **state)
{
    (void)state;
    walk(2);
    thread.frame = &frames[7];
    walk(2);
    assert_int_equal(record.python_count, 4);
    assert_frame(1, 1);
    assert_frame(2, 7);
    assert_frame(3, 8);
}

static void test_a_full_record_stays_as_it_is(void **state)
{
    (void)state;
    static struct lh_record before;
    walk(FRAMES);
    before = record;
    thread.frame = &frames[7];
    walk(1);
    assert_memory_equal(&record, &before, sizeof(record));
    record.python_count = before.python_count = LH_PYTHON_FRAMES + 1; /* never filled so far */
    lh_python_walk(&layout, &direct, (uintptr_t)&thread, 1, &record);
    assert_memory_equal(&record, &before, sizeof(record));
}

static void test_one_str_object_is_stored_once(void **state)
{
    (void)state;
    for (int i = 0; i < FRAMES; i++)
        codes[i].qualname = &names[0];
    walk(100);
    assert_int_equal(record.python_count, 100);
    assert_int_equal(record.strings_length, sizeof("app.py") + sizeof("f0"));
    assert_int_equal(record.python[99].function, record.python[0].function);
}

/* Free-threaded 3.14 and later: each thread may run a copy of the bytecode (pycore_code.h). */
static void test_an_instruction_in_a_threads_own_copy_has_its_line(void **state)
{
    (void)state;
    static uint16_t copy[4];
    static const struct {
        int64_t size;
        const void *entries[2];
    } copies = {2, {&codes[0].bytecode, copy}};
    layout.at.frame_bytecode_index = offsetof(struct frame, bytecode_index);
    layout.at.code_bytecode_copies = offsetof(struct code, copies);
    codes[0].copies = codes[1].copies = codes[2].copies = codes[3].copies = &copies;
    frames[1].bytecode_index = 1;
    frames[1].instruction = &copy[1];
    frames[2].bytecode_index = 2;
    frames[3].bytecode_index = -1;
    walk(5);
    layout.at.frame_bytecode_index = layout.at.code_bytecode_copies = 0;
    for (int i = 0; i < 5; i++) /* no such copy; the last has none at all */
        assert_int_equal(record.python[i].line, i < 2 ? 10 + i : 0);
}

/* 3.14 and later: the low bits of a reference are not part of the address. */
static void test_a_tagged_reference_is_followed(void **state)
{
    (void)state;
    frames[0].code = (const char *)frames[0].code + 1;
    frames[1].code = (const char *)frames[1].code + 3;
    walk(3);
    for (uint32_t i = 0; i < 3; i++)
        assert_frame(i, (int)i);
}

static void test_an_eval_loop_ends_at_its_shim(void **state)
{
    (void)state;
    frames[3].owner = SHIM;
    frames[4].owner = SHIM; /* a loop that had not started a frame of its own */
    frames[9].owner = SHIM;
    walk(6);
    assert_int_equal(record.python_count, 6);
    assert_frame(2, 2);
    assert_frame(3, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(record.python[i].boundary, i == 2 ? (uintptr_t)&frames[3] : 0);
    /* More frames of the last loop stand between the last one wanted and its shim. */
    frames[9].owner = 0;
    frames[12].owner = SHIM;
    record.python_count = record.strings_length = 0;
    walk(6);
    assert_int_equal(record.python[5].boundary, (uintptr_t)&frames[12]);
}

static void assert_walk_ends_before(uint32_t frame)
{
    walk(FRAMES);
    assert_int_equal(record.python_count, frame);
    assert_frame(frame - 1, (int)frame - 1);
    /* Nothing of the frame that was given up is left in the strings. */
    const char *last = record.strings + record.python[frame - 1].function;
    assert_int_equal(record.strings_length, last + strlen(last) + 1 - record.strings);
}

static void test_what_is_no_code_object_ends_the_walk(void **state)
{
    (void)state;
    codes[5].head.type = &string_type;
    assert_walk_ends_before(5);
}

static void test_what_is_no_str_ends_the_walk(void **state)
{
    (void)state;
    names[5].head.type = &bytes_type;
    codes[5].filename = &names[77]; /* read before: a good one, and a new one */
    assert_walk_ends_before(5);
}

static void test_a_str_that_cannot_be_ends_the_walk(void **state)
{
    static const int64_t lengths[] = {-1, INT64_MIN, INT64_MAX, (1 << 24) + 1};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        make_thread(state);
        names[5].length = lengths[i];
        assert_walk_ends_before(5);
    }
    make_thread(state);
    names[5].state = 3 << 2 | 1 << 5; /* characters of three bytes */
    assert_walk_ends_before(5);
    make_thread(state);
    names[5].state = 1 << 2; /* characters elsewhere */
    assert_walk_ends_before(5);
}

static void test_memory_that_cannot_be_read_ends_the_walk(void **state)
{
    frames[4].previous = (void *)16;
    assert_walk_ends_before(5);
    make_thread(state);
    frames[5].code = (void *)-16;
    assert_walk_ends_before(5);
    make_thread(state);
    codes[5].filename = NULL;
    assert_walk_ends_before(5);
}

static void test_without_a_line_table_the_line_is_unknown(void **state)
{
    (void)state;
    line_table.head.type = &string_type;
    codes[1].line_table = NULL;
    walk(2);
    assert_int_equal(record.python_count, 2);
    assert_int_equal(record.python[0].line, 0);
    assert_int_equal(record.python[1].line, 0);
}

/* The thread runs f0 to f9 in an interpreter inside another one, where it runs f20 and more. */
static void test_frames_of_an_outer_interpreter_follow_unless_there_is_a_gap(void **state)
{
    (void)state;
    struct thread outer = {.frame = &frames[20]};
    struct interpreter interpreters[] = {{&interpreters[1], &thread}, {NULL, &outer}};
    const void *runtime[] = {NULL, interpreters};
    struct lh_python_layout two = layout;
    two.runtime = (uintptr_t)runtime;
    two.at.runtime_interpreters = sizeof(runtime[0]);
    two.at.interpreter_threads = offsetof(struct interpreter, threads);
    two.at.thread_id = offsetof(struct thread, id);
    frames[9].previous = NULL;
    lh_python_walk(&two, &direct, (uintptr_t)&outer, 12, &record);
    assert_int_equal(record.python_count, 12);
    assert_frame(9, 9);
    assert_frame(10, 20);
    codes[5].head.type = &string_type;
    lh_python_walk(&two, &direct, (uintptr_t)&outer, 12, &record);
    assert_int_equal(record.python_count, 12 + 5);
}

static void test_a_chain_without_an_end_is_left(void **state)
{
    (void)state;
    frames[2].previous = &frames[0];
    walk(50);
    assert_int_equal(record.python_count, 50);
    frames[2].previous = &frames[2];
    frames[2].owner = SHIM; /* never a frame to count */
    record.python_count = record.strings_length = 0;
    walk(50);
    assert_int_equal(record.python_count, 2);
}

static void test_the_walk_ends_whole_when_the_strings_are_full(void **state)
{
    (void)state;
    char name[300];
    for (int i = 0; i < FRAMES; i++) {
        memset(name, 'a' + i % 26, sizeof(name));
        name[200 + i % 60] = '\0';
        set_string(&names[i], name);
    }
    walk(FRAMES);
    assert_in_range(record.python_count, 60, 85);
    assert_int_equal(record.python_cut, 1);
    assert_in_range(record.strings_length, LH_STRING_BYTES - 300, LH_STRING_BYTES);
    const char *last = record.strings + record.python[record.python_count - 1].function;
    assert_int_equal(strlen(last), names[record.python_count - 1].length > 255
                                       ? 255
                                       : names[record.python_count - 1].length);
    assert_int_equal(record.strings_length, last + strlen(last) + 1 - record.strings);
    for (size_t i = 0; i < sizeof(record.stack); i++)
        assert_int_equal(record.stack[i], 0);
}

static struct lh_python_mark mark_of(int which)
{
    const struct lh_python_walk walk = {.view = {.read = lh_memory_read_self}, .layout = &layout};
    const struct lh_python_step step = {.frame = (uintptr_t)&frames[which],
                                        .code = (uintptr_t)&codes[which],
                                        .filename = (uintptr_t)codes[which].filename,
                                        .qualname = (uintptr_t)codes[which].qualname,
                                        .line_table = (uintptr_t)codes[which].line_table,
                                        .first_line = codes[which].first_line};
    return lh_python_mark_of(&walk, &step);
}

static void test_a_mark_is_kept_and_not_believed_of_another_function_in_its_place(void **state)
{
    (void)state;
    set_string(&file, "/usr/lib/python3.12/linecache.py");
    struct lh_python_mark first = mark_of(0);
    struct lh_python_mark again = mark_of(0);
    assert_int_equal(first.where, LH_NOISE_READS);
    assert_int_equal(first.whose, LH_PYTHON_STANDARD);
    assert_memory_equal(&first, &again, sizeof(first));
    set_string(&file, "/usr/lib/python3.12/lineCache.py"); /* as long as the one before */
    assert_int_equal(mark_of(0).where, LH_NOISE_NOWHERE);
    set_string(&file, "/srv/app/tests/test_it.py");
    assert_int_equal(mark_of(0).where, LH_NOISE_FIRST);
    assert_int_equal(mark_of(0).noise, LH_NOISE_TEST_CODE);
    codes[0].first_line++;
    assert_true(mark_of(0).identity != 0);
}

static void test_a_function_without_names_has_no_mark(void **state)
{
    (void)state;
    codes[0].filename = NULL;
    assert_int_equal(mark_of(0).identity, 0);
    assert_int_equal(mark_of(0).where, LH_NOISE_NOWHERE);
}

static void test_no_thread_state_has_no_frames(void **state)
{
    (void)state;
    lh_python_walk(&layout, &direct, 0, 10, &record);
    lh_python_walk(&layout, &direct, UINTPTR_MAX - 4, 10, &record);
    assert_int_equal(record.python_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_frames_are_told_innermost_first),
        TEST(test_no_more_frames_than_asked_for),
        TEST(test_a_chain_that_ends_is_not_cut),
        TEST(test_frames_are_added_to_those_in_the_record),
        TEST(test_a_full_record_stays_as_it_is),
        TEST(test_one_str_object_is_stored_once),
        TEST(test_a_tagged_reference_is_followed),
        TEST(test_an_instruction_in_a_threads_own_copy_has_its_line),
        TEST(test_an_eval_loop_ends_at_its_shim),
        TEST(test_what_is_no_code_object_ends_the_walk),
        TEST(test_what_is_no_str_ends_the_walk),
        TEST(test_a_str_that_cannot_be_ends_the_walk),
        TEST(test_memory_that_cannot_be_read_ends_the_walk),
        TEST(test_without_a_line_table_the_line_is_unknown),
        TEST(test_frames_of_an_outer_interpreter_follow_unless_there_is_a_gap),
        TEST(test_a_chain_without_an_end_is_left),
        TEST(test_the_walk_ends_whole_when_the_strings_are_full),
        TEST(test_no_thread_state_has_no_frames),
        TEST(test_a_mark_is_kept_and_not_believed_of_another_function_in_its_place),
        TEST(test_a_function_without_names_has_no_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
