/* SPDX-License-Identifier: Apache-2.0 */
/* The set of ids that a file has a meaning for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "collect/sink/id_set.h"

#define SPREAD 0x9e3779b97f4a7c15u /* odd: no two multiples are the same */

static void add(struct lh_id_set *set, uint64_t id)
{
    lh_id_set_add(set, &(struct lh_known){.id = id, .stack = id + 1});
}

static bool has(const struct lh_id_set *set, uint64_t id)
{
    const struct lh_known *known = lh_id_set_find(set, id);
    assert_true(known == NULL || (known->id == id && known->stack == id + 1));
    return known != NULL;
}

static void test_what_was_added_is_in_it_and_nothing_else(void **state)
{
    (void)state;
    struct lh_id_set set = {0};
    assert_false(has(&set, SPREAD));
    for (uint64_t i = 1; i <= 10000; i++)
        add(&set, i * SPREAD);
    for (uint64_t i = 1; i <= 10000; i++)
        assert_true(has(&set, i * SPREAD));
    for (uint64_t i = 10001; i <= 20000; i++)
        assert_false(has(&set, i * SPREAD));
    add(&set, SPREAD);
    assert_int_equal(set.count, 10000);
    lh_id_set_clear(&set);
    assert_false(has(&set, SPREAD));
}

static void test_ids_that_fall_together_are_told_apart(void **state)
{
    (void)state;
    struct lh_id_set set = {0};
    for (uint64_t i = 1; i <= 300; i++)
        add(&set, i << 32);
    for (uint64_t i = 1; i <= 300; i++)
        assert_true(has(&set, i << 32));
    assert_false(has(&set, (uint64_t)301 << 32));
    lh_id_set_clear(&set);
}

static void test_full_set_begins_anew(void **state)
{
    (void)state;
    struct lh_id_set set = {0};
    for (uint64_t i = 1; i <= LH_IDS_MAX + 1; i++)
        add(&set, i * SPREAD);
    assert_int_equal(set.count, 1);
    assert_true(has(&set, (LH_IDS_MAX + 1) * SPREAD));
    assert_false(has(&set, SPREAD));
    lh_id_set_clear(&set);
}

static void test_no_id_is_never_in_it(void **state)
{
    (void)state;
    struct lh_id_set set = {0};
    add(&set, 0);
    add(&set, 1);
    assert_false(has(&set, 0));
    assert_int_equal(set.count, 1);
    lh_id_set_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_added_is_in_it_and_nothing_else),
        cmocka_unit_test(test_ids_that_fall_together_are_told_apart),
        cmocka_unit_test(test_full_set_begins_anew),
        cmocka_unit_test(test_no_id_is_never_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
