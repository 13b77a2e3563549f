/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_NOISE: which classes a list turns on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/noise.h"

static lh_noise_set set_of(const char *list)
{
    lh_noise_set set = 0;
    if (lh_noise_parse(list, &set) != 0)
        fail_msg("%s was refused", list);
    return set;
}

static bool is_on(const char *list, enum lh_noise noise)
{
    return (set_of(list) & lh_noise_bit(noise)) != 0;
}

static void test_a_list_begins_with_a_mode(void **state)
{
    (void)state;
    assert_true(is_on("auto", LH_NOISE_IMPORT) && !is_on("auto", LH_NOISE_LOGGING));
    assert_true(is_on("tests", LH_NOISE_IMPORT) && is_on("tests", LH_NOISE_LOGGING));
    assert_true(!is_on("none", LH_NOISE_IMPORT) && is_on("none", LH_NOISE_GIL));
    assert_false(is_on("tests", LH_NOISE_FINALIZE));
    assert_true(set_of("-import") == (set_of("auto") & ~lh_noise_bit(LH_NOISE_IMPORT)));
}

static void test_items_are_taken_in_order(void **state)
{
    (void)state;
    assert_true(is_on("none,+import", LH_NOISE_IMPORT));
    assert_true(is_on("none,import", LH_NOISE_IMPORT));
    assert_false(is_on("none,+import,-import", LH_NOISE_IMPORT));
    assert_true(is_on("+logging", LH_NOISE_IMPORT) && is_on("+logging", LH_NOISE_LOGGING));
    assert_false(is_on("tests,-test-code", LH_NOISE_TEST_CODE));
}

static void test_what_is_always_on_stays_on(void **state)
{
    (void)state;
    lh_noise_set set = 42;
    assert_int_equal(lh_noise_parse("-gil", &set), -EINVAL);
    assert_int_equal(lh_noise_parse("none,-not-in-loop", &set), -EINVAL);
    assert_int_equal(set, 42);
    assert_true(is_on("none,+gil", LH_NOISE_GIL));
    assert_false(lh_noise_has_switch(LH_NOISE_GUEST));
    assert_true(lh_noise_has_switch(LH_NOISE_IMPORT));
}

static void test_what_is_no_list_changes_nothing(void **state)
{
    static const char *const bad[] = {"",  ",",        "imports", "import,", "import,auto",
                                      "+", "--import", "+auto",   "Import",  "none,nothing"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        lh_noise_set set = 42;
        if (lh_noise_parse(bad[i], &set) != -EINVAL || set != 42)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_begins_with_a_mode),
        cmocka_unit_test(test_items_are_taken_in_order),
        cmocka_unit_test(test_what_is_always_on_stays_on),
        cmocka_unit_test(test_what_is_no_list_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
