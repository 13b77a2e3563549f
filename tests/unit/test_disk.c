/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths and descriptors lead to a disk, asked of the machine's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/state/state.h"
#include "preload/strict/disk.h"

/* Programs are on a disk; /tmp and a build directory may be in memory. */
#define ON_DISK "/bin/sh"

static bool is_on_disk(const char *path)
{
    return lh_path_is_on_disk(AT_FDCWD, path, true);
}

static void test_programs_are_on_a_disk_and_proc_is_not(void **state)
{
    (void)state;
    assert_true(is_on_disk(ON_DISK));
    assert_true(is_on_disk("/"));
    assert_false(is_on_disk("/proc"));
    assert_false(is_on_disk("/proc/self/status"));
    assert_false(is_on_disk("/sys/kernel"));
    assert_false(is_on_disk("/dev/null"));
}

static void test_missing_file_is_looked_for_where_its_directory_is(void **state)
{
    (void)state;
    assert_true(is_on_disk("/bin/loophound-none"));
    assert_true(is_on_disk("/loophound-none/deeper//still/"));
    assert_true(is_on_disk(ON_DISK "/below-a-file"));
    assert_false(is_on_disk("/proc/loophound-none/deeper"));
}

static void test_link_counts_where_it_leads_only_if_it_is_followed(void **state)
{
    (void)state;
    assert_true(lh_path_is_on_disk(AT_FDCWD, "/proc/self/root/bin/sh", true));
    assert_false(lh_path_is_on_disk(AT_FDCWD, "/proc/self/exe", false));
    assert_true(lh_path_is_on_disk(AT_FDCWD, "/proc", false)); /* its name is in the root */
}

static void test_relative_path_is_that_of_its_directory(void **state)
{
    (void)state;
    int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int disk = open("/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(lh_path_is_on_disk(proc, "status", true));
    assert_true(lh_path_is_on_disk(disk, "sh", true));
    assert_true(lh_path_is_on_disk(proc, ON_DISK, true)); /* absolute */
    assert_int_equal(chdir("/proc/self"), 0);
    assert_false(is_on_disk("status"));
    assert_false(lh_path_is_on_disk(AT_FDCWD, "status", false));
    assert_false(is_on_disk("none"));
    assert_int_equal(fchdir(disk), 0);
    assert_true(is_on_disk("sh"));
    assert_true(is_on_disk("./none/"));
    close(proc);
    close(disk);
}

static void test_long_and_bad_paths_are_borne(void **state)
{
    (void)state;
    char path[4000];
    errno = 77;
    snprintf(path, sizeof(path), "/bin/%03990d", 0);
    assert_true(is_on_disk(path));
    snprintf(path, sizeof(path), "/proc/%03990d", 0);
    assert_false(is_on_disk(path));
    assert_false(is_on_disk(""));
    assert_false(is_on_disk(NULL));
    assert_false(is_on_disk((const char *)16));
    assert_int_equal(errno, 77);
}

static void test_descriptors_of_files_and_directories_on_a_disk_count(void **state)
{
    (void)state;
    int disk = open(ON_DISK, O_RDONLY | O_CLOEXEC);
    int memory = memfd_create("test", MFD_CLOEXEC);
    assert_true(lh_fd_is_on_disk(disk));
    assert_false(lh_fd_is_on_disk(memory));
    assert_false(lh_fd_is_on_disk(-1));
    close(disk);
    close(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_are_on_a_disk_and_proc_is_not),
        cmocka_unit_test(test_missing_file_is_looked_for_where_its_directory_is),
        cmocka_unit_test(test_link_counts_where_it_leads_only_if_it_is_followed),
        cmocka_unit_test(test_relative_path_is_that_of_its_directory),
        cmocka_unit_test(test_long_and_bad_paths_are_borne),
        cmocka_unit_test(test_descriptors_of_files_and_directories_on_a_disk_count),
    };
    lh_options_init(&lh_options);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
