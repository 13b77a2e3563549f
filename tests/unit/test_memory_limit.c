/* SPDX-License-Identifier: Apache-2.0 */
/* The collector's own memory: over the limit it gives up what was used least lately, and no more
 * than it must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/link/memory_limit.h"
#include "collect/sys/memory.h"
#include "common/units.h"
#include "measured_memory.h"

#define MIB (1u << 20)

/* A process with so much memory, some of it of files whose symbols can be given up. */
static struct {
    uint64_t own;
    uint64_t file_bytes;
    unsigned files;
    unsigned forgotten;
    bool freed; /* and not yet given back */
} process;

static uint64_t own(void)
{
    return process.own;
}

static bool forget_oldest(void)
{
    if (process.files == 0)
        return false;
    process.files--;
    process.forgotten++;
    process.freed = true;
    return true;
}

static int trim(size_t bytes)
{
    assert_int_equal(bytes, 0);
    if (process.freed)
        process.own -= process.file_bytes;
    process.freed = false;
    return 1;
}

static void look(struct lh_memory_limit *limit, int64_t now_ns)
{
    static const struct lh_memory_ways ways = {own, forget_oldest, trim};
    lh_memory_limit_look(limit, &ways, now_ns);
}

static void be(uint64_t own_mib, unsigned files, uint64_t file_mib)
{
    memset(&process, 0, sizeof(process));
    process.own = own_mib * MIB;
    process.files = files;
    process.file_bytes = file_mib * MIB;
}

static void test_within_the_limit_nothing_is_given_up(void **state)
{
    struct lh_memory_limit limit = {0};
    (void)state;
    be(256, 10, 20);
    look(&limit, LH_NS_PER_S);
    assert_int_equal(process.forgotten, 0);
    assert_int_equal(limit.rounds, 0);
}

static void test_over_it_files_are_given_up_until_there_is_room_for_a_while(void **state)
{
    struct lh_memory_limit limit = {0};
    (void)state;
    be(300, 10, 20);
    look(&limit, LH_NS_PER_S);
    assert_int_equal(process.forgotten, 6); /* 180 MiB */
    assert_int_equal(limit.rounds, 0);
}

static void test_it_is_looked_at_five_times_a_second(void **state)
{
    struct lh_memory_limit limit = {0};
    (void)state;
    be(200, 10, 20);
    look(&limit, LH_NS_PER_S);
    process.own = 300 * MIB;
    look(&limit, LH_NS_PER_S + 200 * LH_NS_PER_MS - 1);
    assert_int_equal(process.forgotten, 0);
    look(&limit, LH_NS_PER_S + 200 * LH_NS_PER_MS);
    assert_int_equal(process.forgotten, 6);
}

static void test_where_that_is_not_enough_each_program_gives_up_its_own(void **state)
{
    struct lh_memory_limit limit = {0};
    (void)state;
    be(400, 2, 20);
    look(&limit, LH_NS_PER_S);
    assert_int_equal(process.forgotten, 2);
    assert_int_equal(limit.rounds, 1);
}

/* 1,000 programs may take more than the limit for what is no cache. */
static void test_what_cannot_be_given_up_costs_no_more_than_one_try(void **state)
{
    struct lh_memory_limit limit = {0};
    (void)state;
    be(400, 0, 0);
    for (int64_t second = 1; second < 60; second++) {
        process.files = 1; /* the file of the last report, read again */
        look(&limit, second * LH_NS_PER_S);
    }
    assert_int_equal(process.forgotten, 1);
    assert_int_equal(limit.rounds, 1);
    process.own = 465 * MIB;
    look(&limit, 60 * LH_NS_PER_S);
    assert_int_equal(process.forgotten, 2);
    assert_int_equal(limit.rounds, 2);
}

static void test_own_memory_is_what_was_written_to(void **state)
{
    const size_t size = 64 * MIB;
    (void)state;
    if (memory_is_kept())
        skip();
    uint64_t before = lh_memory_own();
    assert_true(before > 0);
    char *block = malloc(size);
    assert_non_null(block);
    uint64_t untouched = lh_memory_own();
    memset(block, 'x', size);
    uint64_t touched = lh_memory_own();
    free(block);
    assert_in_range(untouched, 1, before + MIB);
    assert_in_range(touched, before + size - MIB, before + size + MIB);
    assert_in_range(lh_memory_own(), 1, before + MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_the_limit_nothing_is_given_up),
        cmocka_unit_test(test_over_it_files_are_given_up_until_there_is_room_for_a_while),
        cmocka_unit_test(test_it_is_looked_at_five_times_a_second),
        cmocka_unit_test(test_where_that_is_not_enough_each_program_gives_up_its_own),
        cmocka_unit_test(test_what_cannot_be_given_up_costs_no_more_than_one_try),
        cmocka_unit_test(test_own_memory_is_what_was_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
