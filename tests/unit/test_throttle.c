/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup's limits and what they cost, from files as the kernel writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/record.h"
#include "preload/state/throttle.h"

static char root[64];
static struct lh_throttle throttle;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/loophound-cgroup-XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes the directories of `path` too. */
static void put(const char *path, const char *text)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static uint64_t find_and_read(const char *membership)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", membership);
    lh_throttle_find(&throttle, root, copy);
    return lh_throttle_read(&throttle);
}

#define STAT_2(throttled)                                                                          \
    "usage_usec 17213\nuser_usec 17213\nsystem_usec 0\nnice_usec 0\ncore_sched.force_idle_usec "   \
    "0\n"                                                                                          \
    "nr_periods 42\nnr_throttled 12\nthrottled_usec " throttled "\nnr_bursts 0\nburst_usec 0\n"
#define STAT_1(throttled)                                                                          \
    "nr_periods 42\nnr_throttled 12\nthrottled_time " throttled "\nnr_bursts 0\nburst_time 0\n"

static void test_time_of_a_cgroup_with_a_limit_is_read_in_ns(void **state)
{
    (void)state;
    put("/service/cpu.stat", STAT_2("81234"));
    put("/service/cpu.max", "20000 100000\n");
    assert_int_equal(find_and_read("0::/service\n"), 81234000);
}

static void test_limits_above_count_too_and_what_has_none_does_not(void **state)
{
    (void)state;
    put("/cpu.stat", "usage_usec 17213\nuser_usec 17213\nsystem_usec 0\n");
    put("/slice/cpu.stat", STAT_2("1000"));
    put("/slice/cpu.max", "50000 100000\n");
    put("/slice/middle/cpu.stat", STAT_2("7"));
    put("/slice/middle/cpu.max", "max 100000\n");
    put("/slice/middle/service/cpu.stat", STAT_2("30"));
    put("/slice/middle/service/cpu.max", "20000 100000\n");
    assert_int_equal(find_and_read("0::/slice/middle/service\n"), 1030000);
    assert_int_equal(throttle.count, 2);
}

static void test_a_container_sees_its_own_limit_at_the_top(void **state)
{
    (void)state;
    put("/cpu.stat", STAT_2("5"));
    put("/cpu.max", "20000 100000\n");
    assert_int_equal(find_and_read("0::/\n"), 5000);
}

static void test_version_1_is_where_the_processors_are(void **state)
{
    (void)state;
    put("/cpu/job/cpu.stat", STAT_1("81234567"));
    put("/cpu/job/cpu.cfs_quota_us", "20000\n");
    put("/job/cpu.stat", STAT_2("3"));
    put("/job/cpu.max", "20000 100000\n");
    assert_int_equal(
        find_and_read("9:name=systemd:/job\n3:cpuset:/\n2:cpu,cpuacct:/job\n0::/job\n"), 81234567);
    assert_int_equal(find_and_read("1:cpuacct,cpu:/job\n"), 81234567);
}

static void test_without_a_limit_nothing_is_throttled_and_nothing_read(void **state)
{
    (void)state;
    put("/cpu/job/cpu.stat", STAT_1("81234567"));
    put("/cpu/job/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(find_and_read("2:cpu:/job\n"), 0);
    assert_int_equal(throttle.count, 0);
}

static void test_what_cannot_be_read_is_not_known(void **state)
{
    (void)state;
    put("/service/cpu.stat", STAT_2("5"));
    put("/service/cpu.max", "20000 100000\n");
    assert_int_equal(find_and_read(""), LH_UNKNOWN);
    assert_int_equal(find_and_read("3:cpuset:/\n"), LH_UNKNOWN);
    assert_int_equal(find_and_read("0::/elsewhere\n"), LH_UNKNOWN);
    assert_int_equal(find_and_read("0::/../service\n"), LH_UNKNOWN);
    assert_int_equal(find_and_read("0::/service"), LH_UNKNOWN); /* cut off */
    assert_int_equal(find_and_read("0::/service\n"), 5000);
}

static void test_more_limits_than_there_is_room_for_are_not_half_told(void **state)
{
    (void)state;
    static const char path[] = "/a/a/a/a/a";
    char file[64];
    for (int depth = 1; depth <= 5; depth++) {
        snprintf(file, sizeof file, "%.*s/cpu.stat", 2 * depth, path);
        put(file, STAT_2("5"));
        snprintf(file, sizeof file, "%.*s/cpu.max", 2 * depth, path);
        put(file, "20000 100000\n");
    }
    assert_int_equal(find_and_read("0::/a/a/a/a\n"), 20000);
    assert_int_equal(find_and_read("0::/a/a/a/a/a\n"), LH_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_time_of_a_cgroup_with_a_limit_is_read_in_ns),
        TEST(test_limits_above_count_too_and_what_has_none_does_not),
        TEST(test_a_container_sees_its_own_limit_at_the_top),
        TEST(test_version_1_is_where_the_processors_are),
        TEST(test_without_a_limit_nothing_is_throttled_and_nothing_read),
        TEST(test_what_cannot_be_read_is_not_known),
        TEST(test_more_limits_than_there_is_room_for_are_not_half_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
