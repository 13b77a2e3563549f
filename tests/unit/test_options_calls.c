/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_CALLS: which calls a list turns on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/call_ids.h"
#include "common/options.h"

static uint8_t bits(const char *list, uint32_t call)
{
    uint8_t calls[LH_CALLS_MAX];
    memset(calls, 0xff, sizeof(calls));
    if (lh_calls_parse(list, calls) != 0)
        fail_msg("%s was refused", list);
    return calls[call];
}

static bool is_on_as(const char *list, uint32_t call, enum lh_group group)
{
    return (bits(list, call) & LH_CALL_ON_AS(group)) != 0;
}

/* As what it is in the table. */
static bool is_on(const char *list, uint32_t call)
{
    return is_on_as(list, call, lh_call_info(call)->group);
}

static void test_all_turns_every_call_on(void **state)
{
    (void)state;
    for (uint32_t call = 0; call < lh_call_count(); call++)
        assert_int_equal(bits("all", call), LH_CALL_ON);
}

static void test_a_group_alone_is_only_that_group(void **state)
{
    (void)state;
    assert_true(is_on("sleep", LH_CALL_nanosleep));
    assert_true(is_on("sleep", LH_CALL_sleep));
    assert_false(is_on("sleep", LH_CALL_read));
    assert_true(is_on("+sleep", LH_CALL_nanosleep));
    assert_false(is_on("+sleep", LH_CALL_read));
}

static void test_a_list_that_begins_with_minus_begins_with_all(void **state)
{
    (void)state;
    assert_false(is_on("-sleep", LH_CALL_nanosleep));
    assert_true(is_on("-sleep", LH_CALL_recv));
    assert_false(is_on("-all", LH_CALL_recv));
}

static void test_items_are_taken_in_order(void **state)
{
    (void)state;
    static const char list[] = "all,-file,+fsync";
    assert_true(is_on(list, LH_CALL_fsync));
    assert_false(is_on(list, LH_CALL_fdatasync));
    assert_true(is_on(list, LH_CALL_nanosleep));
    assert_false(is_on("+fsync,-file", LH_CALL_fsync));
    assert_false(is_on("sleep,-all,dns", LH_CALL_nanosleep));
    assert_true(is_on("sleep,-all,dns", LH_CALL_getaddrinfo));
}

static void test_a_call_goes_with_what_its_descriptor_is(void **state)
{
    (void)state;
    static const uint32_t on_any[] = {LH_CALL_read, LH_CALL_poll};
    for (int i = 0; i < 2; i++) {
        const uint32_t call = on_any[i];
        const char *own = lh_group_name(lh_call_info(call)->group);
        assert_true(is_on_as("network", call, LH_GROUP_NETWORK));
        assert_false(is_on("network", call));
        assert_true(is_on(own, call));
        assert_false(is_on_as(own, call, LH_GROUP_NETWORK));
        assert_false(is_on_as("-network", call, LH_GROUP_NETWORK));
        assert_true(is_on("-network", call));
    }
    assert_true(is_on_as("-file", LH_CALL_read, LH_GROUP_NETWORK));
    assert_true(is_on_as("file", LH_CALL_poll, LH_GROUP_FILE));
    assert_int_equal(bits("-read", LH_CALL_read), 0);
    assert_int_equal(bits("read", LH_CALL_read), LH_CALL_ON);
    assert_true(is_on("network", LH_CALL_recv));
    assert_false(is_on("-network", LH_CALL_recv));
}

static void test_a_canonical_name_means_all_its_variants(void **state)
{
    (void)state;
    assert_true(is_on("open", LH_CALL_open64));
    assert_true(is_on("open", LH_CALL___open_2));
    assert_false(is_on("open", LH_CALL_openat));
    assert_true(is_on("recv", LH_CALL___recv_chk));
}

static void test_a_symbol_means_that_one(void **state)
{
    (void)state;
    assert_true(is_on("open64", LH_CALL_open64));
    assert_false(is_on("open64", LH_CALL_open));
    assert_false(is_on("-__recv_chk", LH_CALL___recv_chk));
    assert_true(is_on("-__recv_chk", LH_CALL_recv));
}

static void test_every_group_is_known_by_its_printed_name(void **state)
{
    (void)state;
    for (int group = 0; group < LH_GROUP_COUNT; group++) {
        for (uint32_t call = 0; call < lh_call_count(); call++) {
            bool is_member = lh_call_info((uint32_t)call)->group == (enum lh_group)group;
            uint8_t got = bits(lh_group_name((enum lh_group)group), call);
            assert_int_equal((got & LH_CALL_ON_AS(lh_call_info(call)->group)) != 0, is_member);
        }
    }
}

static void test_a_bad_list_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "nope",  "file,nope", "file,",  ",file",
                                      "file,,lock", "+",     "-",         "--file", "fil",
                                      "filex",      "file ", "FILE",      "+all,-", "all -file"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t calls[LH_CALLS_MAX];
        uint8_t before[LH_CALLS_MAX];
        memset(calls, 0x5a, sizeof(calls));
        memcpy(before, calls, sizeof(before));
        if (lh_calls_parse(bad[i], calls) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_memory_equal(calls, before, sizeof(calls));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_turns_every_call_on),
        cmocka_unit_test(test_a_group_alone_is_only_that_group),
        cmocka_unit_test(test_a_list_that_begins_with_minus_begins_with_all),
        cmocka_unit_test(test_items_are_taken_in_order),
        cmocka_unit_test(test_a_call_goes_with_what_its_descriptor_is),
        cmocka_unit_test(test_a_canonical_name_means_all_its_variants),
        cmocka_unit_test(test_a_symbol_means_that_one),
        cmocka_unit_test(test_every_group_is_known_by_its_printed_name),
        cmocka_unit_test(test_a_bad_list_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
