/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a row of V8's offsets. That the numbers are right is tests/node's to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/v8/offsets.h"

static struct lh_v8_layout found;

static void test_each_known_version_has_positions_and_the_sizes_of_its_bytecodes(void **state)
{
    static const uint32_t versions[] = {904, 1002, 1103, 1204, 1306, 1401, 1406};
    (void)state;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        lh_v8_offsets_find(versions[i], &found);
        assert_true(found.has_positions);
        assert_true(found.bytecodes.count > 190);
        assert_true(found.at.exit_frame > 0);
    }
}

static void expect_without_positions(uint32_t version, uint32_t nearest)
{
    struct lh_v8_layout known;
    lh_v8_offsets_find(nearest, &known);
    lh_v8_offsets_find(version, &found);
    assert_false(found.has_positions);
    assert_int_equal(found.bytecodes.count, 0);
    assert_int_equal(found.at.scope_first, known.at.scope_first);
    assert_int_equal(found.at.shared_name, known.at.shared_name);
}

static void test_unknown_version_is_read_as_the_one_before_it_without_positions(void **state)
{
    (void)state;
    expect_without_positions(1500, 1406);
    expect_without_positions(1200, 1103);
    expect_without_positions(800, 904);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_known_version_has_positions_and_the_sizes_of_its_bytecodes),
        cmocka_unit_test(test_unknown_version_is_read_as_the_one_before_it_without_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
