/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by the ids of lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/report_ids.h"

#define MANY 5000u

static void test_every_id_has_its_number_however_many_there_are(void **state)
{
    (void)state;
    struct lh_ids ids = {0};
    char id[16];
    assert_int_equal(lh_ids_find(&ids, "1"), LH_NO_NUMBER);
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "%x", i);
        assert_int_equal(lh_ids_find(&ids, id), LH_NO_NUMBER);
        assert_true(lh_ids_add(&ids, id, i));
    }
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "%x", i);
        assert_int_equal(lh_ids_find(&ids, id), i);
    }
    assert_int_equal(lh_ids_find(&ids, ""), LH_NO_NUMBER);
    assert_true(lh_ids_add(&ids, "", 7));
    assert_int_equal(lh_ids_find(&ids, ""), 7);
    assert_int_equal(ids.count, MANY + 1);
    lh_ids_free(&ids);
    assert_int_equal(lh_ids_find(&ids, "1"), LH_NO_NUMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_id_has_its_number_however_many_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
