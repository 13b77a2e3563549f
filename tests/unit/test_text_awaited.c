/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop waits for in Python's terms, word for word, and names that threads share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "collect/sink/text_awaited.h"
#include "collect/sink/thread_names.h"

static const struct lh_text_style plain = {"", "", "", "", "", 0};
static struct lh_ring header = {.cwd = "/srv"};
static char buf[1024];

static const char *lines_of(const struct lh_waits_for *waits_for)
{
    struct lh_text text;
    lh_text_init(&text, buf, sizeof(buf));
    lh_text_waits_for(&text, &plain, &header, waits_for);
    return buf;
}

static const char *held_by(const struct lh_waits_for *waits_for)
{
    struct lh_text text;
    lh_text_init(&text, buf, sizeof(buf));
    lh_text_held_by(&text, waits_for);
    return buf;
}

static void test_holder_is_named_after_what_it_has(void **state)
{
    (void)state;
    assert_string_equal(held_by(NULL), "the lock held by");
    assert_string_equal(held_by(&(struct lh_waits_for){.kind = LH_AWAITED_RLOCK}),
                        "the RLock held by");
    assert_string_equal(held_by(&(struct lh_waits_for){.kind = LH_AWAITED_THREAD}),
                        "waits for the end of");
    struct lh_waits_for future = {.kind = LH_AWAITED_FUTURE};
    assert_string_equal(held_by(&future), "the Future is run by");
    future.coroutine = "fetch";
    assert_string_equal(held_by(&future), "waits for fetch() on the loop of");
}

static void test_wait_for_oneself_never_ends_or_has_a_time_out(void **state)
{
    (void)state;
    struct lh_waits_for own = {
        .kind = LH_AWAITED_FUTURE, .is_own = true, .for_ever = true, .coroutine = "fetch\033"};
    assert_string_equal(lines_of(&own),
                        "  waits for its own loop, to run fetch?(): this never ends by itself\n");
    own = (struct lh_waits_for){.kind = LH_AWAITED_LOCK, .is_own = true};
    assert_string_equal(
        lines_of(&own),
        "  waits for a Lock that it has itself: this ends with its time-out only\n");
}

static void test_task_of_its_own_loop_that_has_the_lock_is_named(void **state)
{
    (void)state;
    const struct lh_frame frame = {
        .lang = LH_LANG_PYTHON, .file = "/srv/app.py", .line = 7, .function = "keep"};
    struct lh_waits_for own = {.kind = LH_AWAITED_LOCK,
                               .is_own = true,
                               .for_ever = true,
                               .suspended = {"Task-2\033", "upload", &frame}};
    assert_string_equal(lines_of(&own),
                        "  waits for its own loop: this never ends by itself\n"
                        "  the Lock held by task Task-2? (coroutine upload), which awaits in "
                        "app.py:7 keep\n");
    own.suspended = (struct lh_suspended){.frame = &frame};
    assert_string_equal(lines_of(&own),
                        "  waits for its own loop: this never ends by itself\n"
                        "  the Lock held by a task, which awaits in app.py:7 keep\n");
}

static void test_candidates_have_their_place_and_what_they_have(void **state)
{
    (void)state;
    const struct lh_frame frame = {
        .lang = LH_LANG_PYTHON, .file = "/srv/app.py", .line = 7, .function = "keep"};
    const struct lh_waits_for waits_for = {
        .kind = LH_AWAITED_LOCK,
        .candidate_count = 3,
        .candidates = {{.tid = 5, .thread = "a", .within = true, .deadlock = true, .frame = &frame},
                       {.tid = 6, .thread = "b", .names = true, .frame = &frame},
                       {.tid = 7, .thread = "c", .frame = &frame}}};
    assert_string_equal(lines_of(&waits_for),
                        "  deadlock: a (thread 5) is within the Lock's `with` statement, and waits "
                        "for this thread\n"
                        "  nobody is known to have the Lock; candidates:\n"
                        "    a (thread 5) in app.py:7 keep, within its `with` statement\n"
                        "    b (thread 6) in app.py:7 keep, which has it in a variable\n"
                        "    c (thread 7) in app.py:7 keep\n");
}

static void test_nothing_is_said_where_nothing_is_known(void **state)
{
    (void)state;
    assert_string_equal(lines_of(NULL), "");
    assert_string_equal(lines_of(&(struct lh_waits_for){.kind = LH_AWAITED_RLOCK}), "");
}

static void test_name_is_shared_once_another_thread_has_it(void **state)
{
    (void)state;
    static struct lh_thread_names names;
    assert_false(lh_thread_name_is_shared(&names, 1, "worker"));
    assert_false(lh_thread_name_is_shared(&names, 1, "worker"));
    assert_false(lh_thread_name_is_shared(&names, 2, "other"));
    assert_true(lh_thread_name_is_shared(&names, 3, "worker"));
    assert_true(lh_thread_name_is_shared(&names, 1, "worker"));
    assert_false(lh_thread_name_is_shared(&names, 3, "renamed"));
    assert_false(lh_thread_name_is_shared(&names, 1, "worker"));
}

static void test_of_very_many_threads_the_oldest_is_forgotten(void **state)
{
    (void)state;
    static struct lh_thread_names names;
    char name[16];
    assert_false(lh_thread_name_is_shared(&names, 1, "first"));
    for (uint32_t i = 0; i < LH_THREADS_REMEMBERED; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        assert_false(lh_thread_name_is_shared(&names, 100 + i, name));
    }
    assert_false(lh_thread_name_is_shared(&names, 2, "first"));
    assert_true(lh_thread_name_is_shared(&names, 3, "100"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holder_is_named_after_what_it_has),
        cmocka_unit_test(test_wait_for_oneself_never_ends_or_has_a_time_out),
        cmocka_unit_test(test_task_of_its_own_loop_that_has_the_lock_is_named),
        cmocka_unit_test(test_candidates_have_their_place_and_what_they_have),
        cmocka_unit_test(test_nothing_is_said_where_nothing_is_known),
        cmocka_unit_test(test_name_is_shared_once_another_thread_has_it),
        cmocka_unit_test(test_of_very_many_threads_the_oldest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
