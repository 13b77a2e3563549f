/* SPDX-License-Identifier: Apache-2.0 */
/* The names of outputs: what is expanded, and where relative ones start. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/sink/output_target.h"
#include "common/output_name.h"
#include "common/protocol.h"
#include "common/text.h"
#include "new_ring.h"

struct fixture {
    struct lh_ring *header;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->header = new_ring();
    assert_non_null(fixture->header);
    fixture->header->pid = 4242;
    (void)lh_text_copy(fixture->header->exe, sizeof(fixture->header->exe), "/usr/bin/python3.11");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->header);
    free(fixture);
    return 0;
}

static void wish(struct fixture *fixture, enum lh_output_kind kind, const char *name)
{
    fixture->header->options.output_kind = (uint8_t)kind;
    (void)lh_text_copy(fixture->header->options.output, sizeof(fixture->header->options.output),
                       name);
}

static const char *placed(struct fixture *fixture, const char *name, bool adopted)
{
    static struct lh_output_target target;
    wish(fixture, LH_OUTPUT_PATH, name);
    assert_int_equal(lh_output_target(&target, fixture->header, adopted), 0);
    return target.path;
}

static void test_path_expands_pid_executable_host_and_percent(void **state)
{
    char host[256];
    char expected[512];
    gethostname(host, sizeof(host));
    (void)snprintf(expected, sizeof(expected), "/x/4242-python3.11-%s-100%%.jsonl", host);
    assert_string_equal(placed(*state, "/x/%p-%e-%h-100%%.jsonl", false), expected);
}

static void test_unknown_and_dangling_percents_stay(void **state)
{
    assert_string_equal(placed(*state, "/x/%q%", false), "/x/%q%");
}

static void test_name_is_one_programs_own_with_its_pid(void **state)
{
    (void)state;
    assert_true(lh_output_has_pid("/x/%p.jsonl"));
    assert_true(lh_output_has_pid("/x/%%%p"));
    assert_false(lh_output_has_pid("/x/hits.jsonl"));
    assert_false(lh_output_has_pid("/x/100%%p.jsonl"));
    assert_false(lh_output_has_pid("/x/p%"));
}

static void test_relative_names_of_an_adopted_program_start_at_its_directory(void **state)
{
    struct fixture *fixture = *state;
    (void)lh_text_copy(fixture->header->cwd, sizeof(fixture->header->cwd), "/srv/app");
    assert_string_equal(placed(fixture, "hits.jsonl", true), "/srv/app/hits.jsonl");
    assert_string_equal(placed(fixture, "hits.jsonl", false), "hits.jsonl");
    assert_string_equal(placed(fixture, "/var/hits.jsonl", true), "/var/hits.jsonl");
}

static void test_name_that_grows_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lh_output_target target;
    memset(fixture->header->exe, 'e', 1000);
    wish(fixture, LH_OUTPUT_PATH, "%e%e%e%e%e");
    assert_int_equal(lh_output_target(&target, fixture->header, false), -ENAMETOOLONG);
}

static void test_descriptor_of_an_adopted_program_is_where_it_was_handed_over(void **state)
{
    struct fixture *fixture = *state;
    struct lh_output_target target;
    wish(fixture, LH_OUTPUT_FD, "");
    fixture->header->options.output_fd = 77;
    assert_int_equal(lh_output_target(&target, fixture->header, true), 0);
    assert_int_equal(target.fd, LH_COLLECTOR_OUTPUT_FD);
    assert_int_equal(lh_output_target(&target, fixture->header, false), 0);
    assert_int_equal(target.fd, 77);
    wish(fixture, LH_OUTPUT_STDERR, "");
    assert_int_equal(lh_output_target(&target, fixture->header, true), 0);
    assert_int_equal(target.fd, LH_COLLECTOR_OUTPUT_FD);
    assert_int_equal(lh_output_target(&target, fixture->header, false), 0);
    assert_int_equal(target.fd, STDERR_FILENO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_path_expands_pid_executable_host_and_percent),
        TEST(test_unknown_and_dangling_percents_stay),
        TEST(test_name_is_one_programs_own_with_its_pid),
        TEST(test_relative_names_of_an_adopted_program_start_at_its_directory),
        TEST(test_name_that_grows_too_long_is_refused),
        TEST(test_descriptor_of_an_adopted_program_is_where_it_was_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
