/* LOOPHOUND_CALLS: which calls a list turns on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/options.h"

#define BOTH (LH_CALL_ON | LH_CALL_ON_AS_NETWORK)

static uint8_t bits(const char *list, enum lh_call call)
{
    uint8_t calls[LH_CALL_COUNT];
    memset(calls, 0xff, sizeof(calls));
    if (lh_calls_parse(list, calls) != 0)
        fail_msg("%s was refused", list);
    return calls[call];
}

static void test_all_turns_every_call_on(void **state)
{
    (void)state;
    for (int call = 0; call < LH_CALL_COUNT; call++)
        assert_int_equal(bits("all", (enum lh_call)call), BOTH);
}

static void test_a_group_alone_is_only_that_group(void **state)
{
    (void)state;
    assert_int_equal(bits("sleep", LH_CALL_nanosleep), LH_CALL_ON);
    assert_int_equal(bits("sleep", LH_CALL_sleep), LH_CALL_ON);
    assert_int_equal(bits("sleep", LH_CALL_read), 0);
    assert_int_equal(bits("+sleep", LH_CALL_nanosleep), LH_CALL_ON);
    assert_int_equal(bits("+sleep", LH_CALL_read), 0);
}

static void test_a_list_that_begins_with_minus_begins_with_all(void **state)
{
    (void)state;
    assert_int_equal(bits("-sleep", LH_CALL_nanosleep), LH_CALL_ON_AS_NETWORK);
    assert_int_equal(bits("-sleep", LH_CALL_recv), BOTH);
    assert_int_equal(bits("-all", LH_CALL_recv), 0);
}

static void test_items_are_taken_in_order(void **state)
{
    (void)state;
    static const char list[] = "all,-file,+fsync";
    assert_int_equal(bits(list, LH_CALL_fsync), BOTH);
    assert_int_equal(bits(list, LH_CALL_fdatasync) & LH_CALL_ON, 0);
    assert_int_equal(bits(list, LH_CALL_nanosleep), BOTH);
    assert_int_equal(bits("+fsync,-file", LH_CALL_fsync) & LH_CALL_ON, 0);
    assert_int_equal(bits("sleep,-all,dns", LH_CALL_nanosleep), 0);
    assert_int_equal(bits("sleep,-all,dns", LH_CALL_getaddrinfo), LH_CALL_ON);
}

static void test_read_of_a_socket_goes_with_the_network(void **state)
{
    (void)state;
    assert_int_equal(bits("network", LH_CALL_read), LH_CALL_ON_AS_NETWORK);
    assert_int_equal(bits("network", LH_CALL_recv), BOTH);
    assert_int_equal(bits("file", LH_CALL_read), LH_CALL_ON);
    assert_int_equal(bits("-network", LH_CALL_read), LH_CALL_ON);
    assert_int_equal(bits("-network", LH_CALL_recv), 0);
    assert_int_equal(bits("-file", LH_CALL_read), LH_CALL_ON_AS_NETWORK);
    assert_int_equal(bits("-read", LH_CALL_read), 0);
    assert_int_equal(bits("read", LH_CALL_read), BOTH);
}

static void test_a_canonical_name_means_all_its_variants(void **state)
{
    (void)state;
    assert_int_equal(bits("open", LH_CALL_open64), BOTH);
    assert_int_equal(bits("open", LH_CALL___open_2), BOTH);
    assert_int_equal(bits("open", LH_CALL_openat), 0);
    assert_int_equal(bits("recv", LH_CALL___recv_chk), BOTH);
}

static void test_a_symbol_means_that_one(void **state)
{
    (void)state;
    assert_int_equal(bits("open64", LH_CALL_open64), BOTH);
    assert_int_equal(bits("open64", LH_CALL_open), 0);
    assert_int_equal(bits("-__recv_chk", LH_CALL___recv_chk), 0);
    assert_int_equal(bits("-__recv_chk", LH_CALL_recv), BOTH);
}

static void test_every_group_is_known_by_its_printed_name(void **state)
{
    (void)state;
    for (int group = 0; group < LH_GROUP_COUNT; group++) {
        for (int call = 0; call < LH_CALL_COUNT; call++) {
            bool is_member = lh_call_info((uint32_t)call)->group == (enum lh_group)group;
            uint8_t got = bits(lh_group_name((enum lh_group)group), (enum lh_call)call);
            assert_int_equal((got & LH_CALL_ON) != 0, is_member);
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
        uint8_t calls[LH_CALL_COUNT];
        uint8_t before[LH_CALL_COUNT];
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
        cmocka_unit_test(test_read_of_a_socket_goes_with_the_network),
        cmocka_unit_test(test_a_canonical_name_means_all_its_variants),
        cmocka_unit_test(test_a_symbol_means_that_one),
        cmocka_unit_test(test_every_group_is_known_by_its_printed_name),
        cmocka_unit_test(test_a_bad_list_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
