/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that begin with `!`, as the library reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/process/always.h"
#include "preload/state/always.h"
#include "preload/state/state.h"

static char directory[] = "/tmp/loophound_always_XXXXXX";

static void read_rules(const char *suppress, const char *allow)
{
    lh_always.count = 0;
    lh_always.more = false;
    (void)snprintf(lh_options.suppress, sizeof(lh_options.suppress), "%s", suppress);
    (void)snprintf(lh_options.allow, sizeof(lh_options.allow), "%s", allow);
    lh_always_init();
}

static const char *file_with(const char *name, const char *text)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static bool may_match(const char *call, const char *group)
{
    const struct lh_rule_facts facts = {
        .call = call, .group = group, .type = "block", .duration_ns = LH_UNKNOWN};
    return lh_always_may_match(&facts);
}

static void test_without_such_rules_nothing_is_asked_for(void **state)
{
    (void)state;
    read_rules("", "");
    assert_false(may_match("open", "file"));
    read_rules(file_with("quiet", "call:open\n"), "call:read");
    assert_int_equal(lh_always.count, 0);
    assert_false(may_match("open", "file"));
}

static void test_rules_of_files_and_of_the_variable_add_up(void **state)
{
    char list[600];
    (void)state;
    int length = snprintf(list, sizeof(list), "%s:", file_with("a", "call:x\n!call:open # why\n"));
    (void)snprintf(list + length, sizeof(list) - (size_t)length, ":/nowhere/b:%s",
                   file_with("c", "!group:dns\n"));
    read_rules(list, "!call:read at:app/*; call:write");
    assert_int_equal(lh_always.count, 3);
    assert_true(may_match("open", "file"));
    assert_true(may_match("getaddrinfo", "dns"));
    assert_true(may_match("read", "file")); /* where it is called is not known here */
    assert_false(may_match("write", "file"));
}

static void test_no_rule_of_a_file_with_a_fault_is_used(void **state)
{
    (void)state;
    read_rules(file_with("bad", "!call:open\nnonsense\n"), "!call:read; nonsense");
    assert_int_equal(lh_always.count, 0);
}

static void test_more_rules_than_there_is_room_for_may_match_anything(void **state)
{
    char text[LH_ALWAYS_MAX * 16 + 64] = "";
    (void)state;
    static const char rule[] = "!call:open\n";
    for (uint32_t i = 0; i <= LH_ALWAYS_MAX; i++)
        memcpy(text + i * strlen(rule), rule, sizeof(rule));
    read_rules(file_with("many", text), "");
    assert_int_equal(lh_always.count, LH_ALWAYS_MAX);
    assert_true(may_match("read", "file"));
}

static void test_what_is_no_file_of_rules_does_not_keep_us(void **state)
{
    char path[256];
    char list[300];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)snprintf(list, sizeof(list), "%s:/dev/zero:/:%s", path, directory);
    read_rules(list, "");
    assert_int_equal(lh_always.count, 0);
    unlink(path);
}

static void remove_files(void)
{
    static const char *const names[] = {"quiet", "a", "c", "bad", "many"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[256];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_such_rules_nothing_is_asked_for),
        cmocka_unit_test(test_rules_of_files_and_of_the_variable_add_up),
        cmocka_unit_test(test_no_rule_of_a_file_with_a_fault_is_used),
        cmocka_unit_test(test_more_rules_than_there_is_room_for_may_match_anything),
        cmocka_unit_test(test_what_is_no_file_of_rules_does_not_keep_us),
    };
    if (mkdtemp(directory) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_files();
    return failed;
}
