/* SPDX-License-Identifier: Apache-2.0 */
/* The test that runs and the labels of threads, as records have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/state/state.h"
#include "preload/state/tags.h"
#include "preload/state/thread_end.h"
#include "rounds.h"
#include "thread_sanitizer.h"

#define READINGS 5000000

static struct lh_record record;

static const struct lh_tags *filled(uint32_t tid, bool own)
{
    memset(&record.tags, 'z', sizeof(record.tags));
    lh_tags_fill(&record, tid, own);
    record.strings_length = 0;
    assert_true(lh_record_check(&record));
    return &record.tags;
}

static const struct lh_tags *own_tags(void)
{
    return filled((uint32_t)gettid(), true);
}

/* The string of this number. */
static const char *string_of(const struct lh_tags *tags, unsigned number)
{
    const char *string = tags->text;
    while (number-- > 0)
        string += strlen(string) + 1;
    assert_true(string < tags->text + tags->length);
    return string;
}

static void test_without_any_there_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(lh_tag_label("never", NULL), 0);
    assert_int_equal(own_tags()->has_test, 0);
    assert_int_equal(own_tags()->label_count, 0);
    assert_int_equal(own_tags()->length, 0);
}

static void test_name_holds_until_the_next(void **state)
{
    char name[] = "first";
    (void)state;
    lh_tag_test(name);
    name[0] = '?';
    assert_string_equal(string_of(own_tags(), 0), "first");
    assert_string_equal(string_of(filled(1, false), 0), "first");
    lh_tag_test("second");
    assert_string_equal(string_of(own_tags(), 0), "second");
    lh_tag_test(NULL);
    assert_int_equal(own_tags()->has_test, 0);
}

static void test_long_name_is_cut_between_two_characters(void **state)
{
    char name[300];
    (void)state;
    memset(name, 'a', sizeof(name));
    memcpy(name + 253, "\xe2\x82\xac", 3); /* its last byte would be the 256th */
    name[sizeof(name) - 1] = '\0';
    lh_tag_test(name);
    assert_int_equal(strlen(string_of(own_tags(), 0)), 253);
    name[254] = '\0';
    lh_tag_test(name + 253); /* half of it is all there is */
    assert_string_equal(string_of(own_tags(), 0), "\xe2");
    lh_tag_test(NULL);
}

static void test_labels_are_replaced_and_taken_away(void **state)
{
    (void)state;
    assert_int_equal(lh_tag_label("route", "/a"), 0);
    assert_int_equal(lh_tag_label("tenant", "7"), 0);
    assert_int_equal(lh_tag_label("route", "/b"), 0);
    const struct lh_tags *tags = own_tags();
    assert_int_equal(tags->label_count, 2);
    assert_string_equal(string_of(tags, 1), "/b");
    assert_string_equal(string_of(tags, 2), "tenant");
    lh_tag_test("test");
    assert_int_equal(lh_tag_label("route", NULL), 0);
    tags = own_tags();
    assert_string_equal(string_of(tags, 0), "test");
    assert_int_equal(tags->label_count, 1);
    assert_string_equal(string_of(tags, 1), "tenant");
    assert_string_equal(string_of(tags, 2), "7");
    lh_tag_test(NULL);
    assert_int_equal(lh_tag_label("tenant", NULL), 0);
    assert_int_equal(own_tags()->length, 0);
}

static void test_what_does_not_fit_changes_nothing(void **state)
{
    char text[200];
    (void)state;
    memset(text, 'k', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(lh_tag_label(NULL, "x"), -EINVAL);
    assert_int_equal(lh_tag_label("", "x"), -EINVAL);
    assert_int_equal(lh_tag_label(text + 199 - 65, "x"), -ENOSPC);
    assert_int_equal(lh_tag_label("x", text + 199 - 129), -ENOSPC);
    assert_int_equal(own_tags()->label_count, 0);
    for (unsigned i = 0; i < LH_LABELS_MAX; i++) { /* the longest */
        text[199 - 64] = (char)('a' + i);
        assert_int_equal(lh_tag_label(text + 199 - 64, text + 199 - 128), 0);
    }
    assert_int_equal(lh_tag_label("x", "x"), -ENOSPC);
    memset(text, 't', 199 - 64);
    lh_tag_test(text);
    const struct lh_tags *tags = own_tags();
    assert_int_equal(tags->label_count, LH_LABELS_MAX);
    assert_int_equal(strlen(string_of(tags, 2 * LH_LABELS_MAX)), 128);
    lh_tag_test(NULL);
    for (unsigned i = 0; i < LH_LABELS_MAX; i++) {
        text[199 - 64] = (char)('a' + i);
        assert_int_equal(lh_tag_label(text + 199 - 64, NULL), 0);
    }
    assert_int_equal(own_tags()->label_count, 0);
}

struct thread {
    pthread_t id;
    _Atomic uint32_t tid;
    _Atomic bool ends;
};

/* Labels of which each has a value of one letter, many times. */
static void *relabel(void *argument)
{
    struct thread *thread = argument;
    char value[128];
    atomic_store(&thread->tid, (uint32_t)gettid());
    for (char letter = 'a'; !atomic_load(&thread->ends); letter = letter < 'z' ? letter + 1 : 'a') {
        memset(value, letter, sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        if (lh_tag_label("letter", value) != 0)
            abort();
        lh_tag_test(value);
    }
    return NULL;
}

static void expect_one_letter(const char *string)
{
    char expected[128];
    memset(expected, string[0], sizeof(expected) - 1);
    expected[sizeof(expected) - 1] = '\0';
    assert_string_equal(string, expected);
}

static void test_who_reads_while_they_are_written_gets_whole_ones(void **state)
{
    struct thread thread = {0};
    unsigned labelled = 0;
    (void)state;
    skip_under_thread_sanitizer(); /* which takes that for a race */
    assert_int_equal(pthread_create(&thread.id, NULL, relabel, &thread), 0);
    while (atomic_load(&thread.tid) == 0)
        ;
    for (int i = 0; i < rounds(READINGS) || labelled == 0; i++) {
        const struct lh_tags *tags = &record.tags;
        lh_tags_fill(&record, atomic_load(&thread.tid), false);
        if (tags->has_test)
            expect_one_letter(string_of(tags, 0));
        if (tags->label_count == 1) {
            expect_one_letter(string_of(tags, tags->has_test ? 2 : 1));
            labelled++;
        }
    }
    assert_int_equal(own_tags()->label_count, 0);
    atomic_store(&thread.ends, true);
    assert_int_equal(pthread_join(thread.id, NULL), 0);
    assert_int_equal(filled(thread.tid, false)->label_count, 0);
    lh_tag_test(NULL);
}

static void *label_once(void *labels)
{
    if (lh_tag_label("x", "y") != 0)
        abort();
    *(void **)labels = lh_self.labels;
    return NULL;
}

static void test_threads_that_end_leave_their_room_to_others(void **state)
{
    void *first = NULL;
    (void)state;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *labels = NULL;
        assert_int_equal(pthread_create(&thread, NULL, label_once, &labels), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_non_null(labels);
        first = first == NULL ? labels : first;
        assert_ptr_equal(labels, first);
    }
}

static void test_record_whose_tags_are_no_strings_is_refused(void **state)
{
    (void)state;
    lh_tag_test("test");
    assert_int_equal(lh_tag_label("key", "value"), 0);
    (void)own_tags();
    record.tags.length -= 1;
    assert_false(lh_record_check(&record));
    record.tags.length = sizeof(record.tags.text) + 1;
    assert_false(lh_record_check(&record));
    (void)own_tags();
    record.tags.label_count = 2;
    assert_false(lh_record_check(&record));
    record.tags.label_count = LH_LABELS_MAX + 1;
    assert_false(lh_record_check(&record));
    lh_tag_test(NULL);
    assert_int_equal(lh_tag_label("key", NULL), 0);
}

static int init(void **state)
{
    (void)state;
    lh_thread_end_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_any_there_is_nothing),
        cmocka_unit_test(test_name_holds_until_the_next),
        cmocka_unit_test(test_long_name_is_cut_between_two_characters),
        cmocka_unit_test(test_labels_are_replaced_and_taken_away),
        cmocka_unit_test(test_what_does_not_fit_changes_nothing),
        cmocka_unit_test(test_who_reads_while_they_are_written_gets_whole_ones),
        cmocka_unit_test(test_threads_that_end_leave_their_room_to_others),
        cmocka_unit_test(test_record_whose_tags_are_no_strings_is_refused),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
