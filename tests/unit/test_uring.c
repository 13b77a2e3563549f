/* SPDX-License-Identifier: Apache-2.0 */
/* Which waits for a ring of io_uring leave something to a loop under way: the rule of
 * preload/loop/uring.h, on what the kernel writes into a ring's fdinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload/loop/uring.h"

static struct lh_ring_polls polls;

static int begin(void **state)
{
    (void)state;
    memset(&polls, 0, sizeof(polls));
    return 0;
}

static void line(const char *text)
{
    lh_ring_polls_line(&polls, text, strlen(text));
}

static void armed(int operation)
{
    char text[64];
    snprintf(text, sizeof(text), "  op=%d, task_works=0", operation);
    line(text);
}

static bool are_loops(uint32_t to_submit, uint32_t min_complete)
{
    const struct lh_ring_wait wait = {3, to_submit, min_complete};
    return lh_ring_polls_are_loops(&polls, &wait);
}

static void test_accept_beside_what_is_waited_for_is_a_loops(void **state)
{
    (void)state;
    line("PollList:");
    armed(IORING_OP_ACCEPT);
    assert_false(are_loops(0, 1));
    assert_true(are_loops(1, 1));
    armed(IORING_OP_RECV);
    assert_true(are_loops(0, 1));
    assert_false(are_loops(0, 2));
}

static void test_reads_and_polls_of_what_is_not_ready_are_anchors_too(void **state)
{
    static const int operations[] = {IORING_OP_POLL_ADD, IORING_OP_READ, IORING_OP_READV,
                                     IORING_OP_READ_FIXED};
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        begin(state);
        line("PollList:");
        armed(operations[i]);
        assert_true(are_loops(1, 1));
    }
}

static void test_answers_of_sockets_are_no_anchors(void **state)
{
    (void)state;
    line("PollList:");
    armed(IORING_OP_RECV);
    armed(IORING_OP_SEND);
    armed(IORING_OP_CONNECT);
    assert_false(are_loops(4, 1));
}

static void test_submitting_much_without_anything_armed_is_no_loop(void **state)
{
    (void)state;
    line("PollList:");
    assert_false(are_loops(64, 1));
}

static void test_only_the_list_of_polls_counts(void **state)
{
    (void)state;
    line("SqThread:\t-1");
    armed(IORING_OP_ACCEPT);
    line("PollList:");
    line("CqOverflowList:");
    armed(IORING_OP_ACCEPT);
    assert_int_equal(polls.armed, 0);
    assert_false(are_loops(1, 1));
}

static void test_lines_cut_short_and_huge_numbers_do_no_harm(void **state)
{
    (void)state;
    line("PollList:");
    lh_ring_polls_line(&polls, "  op=13", 5);
    line("  op=");
    line("  op=99999999999999999999");
    line("  op=269"); /* 13 in its low byte */
    assert_int_equal(polls.armed, 4);
    assert_false(polls.anchor);
}

static void test_what_is_no_ring_is_no_loops(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    const struct lh_ring_wait none = {-1, 1, 1}, of_pipe = {ends[0], 1, 1};
    assert_false(lh_ring_is_loops(&none));
    assert_false(lh_ring_is_loops(&of_pipe));
    close(ends[0]);
    assert_false(lh_ring_is_loops(&of_pipe));
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_accept_beside_what_is_waited_for_is_a_loops, begin),
        cmocka_unit_test_setup(test_reads_and_polls_of_what_is_not_ready_are_anchors_too, begin),
        cmocka_unit_test_setup(test_answers_of_sockets_are_no_anchors, begin),
        cmocka_unit_test_setup(test_submitting_much_without_anything_armed_is_no_loop, begin),
        cmocka_unit_test_setup(test_only_the_list_of_polls_counts, begin),
        cmocka_unit_test_setup(test_lines_cut_short_and_huge_numbers_do_no_harm, begin),
        cmocka_unit_test(test_what_is_no_ring_is_no_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
