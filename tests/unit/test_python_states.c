/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a thread in the interpreters' lists, which other threads may change meanwhile. That
 * real lists are told right is tests/e2e/test_python_embedded.py's to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "preload/python/states.h"

#define INTERPRETERS 3
#define THREADS      3 /* of each interpreter */

struct thread {
    const void *unused, *next;
    uintptr_t id;
};
struct interpreter {
    const void *next, *threads;
};
struct runtime {
    const void *unused, *interpreters;
};

static struct thread threads[INTERPRETERS][THREADS];
static struct interpreter interpreters[INTERPRETERS];
static struct runtime runtime;
static uintptr_t states[LH_PYTHON_STATES_MAX];

static const struct lh_python_layout layout = {
    .at = {.runtime_interpreters = offsetof(struct runtime, interpreters),
           .interpreter_next = offsetof(struct interpreter, next),
           .interpreter_threads = offsetof(struct interpreter, threads),
           .thread_next = offsetof(struct thread, next),
           .thread_id = offsetof(struct thread, id)},
    .runtime = (uintptr_t)&runtime,
};

/* Each interpreter runs threads 100, 101 and 102. */
static int make_lists(void **state)
{
    (void)state;
    memset(states, 0, sizeof(states));
    runtime.interpreters = &interpreters[0];
    for (int i = 0; i < INTERPRETERS; i++) {
        interpreters[i].next = i + 1 < INTERPRETERS ? &interpreters[i + 1] : NULL;
        interpreters[i].threads = &threads[i][0];
        for (int j = 0; j < THREADS; j++)
            threads[i][j] = (struct thread){.next = j + 1 < THREADS ? &threads[i][j + 1] : NULL,
                                            .id = (uintptr_t)(100 + j)};
    }
    return 0;
}

static const struct lh_view direct = {.read = lh_memory_read_self};

static uint32_t find(const struct thread *given)
{
    return lh_python_states(&layout, &direct, (uintptr_t)given, states);
}

static void assert_alone(const struct thread *given)
{
    assert_int_equal(find(given), 1);
    assert_int_equal(states[0], given);
}

static void test_a_thread_has_a_state_in_each_interpreter_the_last_made_first(void **state)
{
    (void)state;
    assert_int_equal(find(&threads[2][1]), 3);
    for (int i = 0; i < INTERPRETERS; i++)
        assert_int_equal(states[i], &threads[i][1]);
}

static void test_states_of_other_threads_are_left_out(void **state)
{
    (void)state;
    threads[0][1].id = threads[1][1].id = 7;
    assert_alone(&threads[2][1]);
}

static void test_one_interpreter_has_one_state(void **state)
{
    (void)state;
    interpreters[0].next = NULL;
    threads[0][1].id = threads[0][0].id; /* would be told if the list were read */
    assert_alone(&threads[0][0]);
}

static void test_lists_without_the_state_we_came_from_are_not_believed(void **state)
{
    (void)state;
    interpreters[2].threads = NULL;
    assert_alone(&threads[2][1]);
}

static void test_lists_that_cannot_be_read_are_not_believed(void **state)
{
    interpreters[1].threads = (void *)16;
    interpreters[1].next = (void *)-16;
    assert_alone(&threads[2][1]);
    make_lists(state);
    runtime.interpreters = NULL;
    assert_alone(&threads[2][1]);
}

static void test_lists_without_an_end_are_left(void **state)
{
    (void)state;
    interpreters[2].next = &interpreters[0];
    threads[1][2].next = &threads[1][0];
    assert_int_equal(find(&threads[0][1]), LH_PYTHON_STATES_MAX);
}

static void test_without_a_runtime_the_given_state_is_all(void **state)
{
    (void)state;
    struct lh_python_layout without = layout;
    without.runtime = 0;
    assert_int_equal(lh_python_states(&without, &direct, (uintptr_t)&threads[1][1], states), 1);
    assert_int_equal(states[0], &threads[1][1]);
}

#define TEST(name) cmocka_unit_test_setup(name, make_lists)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_thread_has_a_state_in_each_interpreter_the_last_made_first),
        TEST(test_states_of_other_threads_are_left_out),
        TEST(test_one_interpreter_has_one_state),
        TEST(test_lists_without_the_state_we_came_from_are_not_believed),
        TEST(test_lists_that_cannot_be_read_are_not_believed),
        TEST(test_lists_without_an_end_are_left),
        TEST(test_without_a_runtime_the_given_state_is_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
