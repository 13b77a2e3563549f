/* SPDX-License-Identifier: Apache-2.0 */
/* loophound doctor: where the command of a wrapper begins, what a shell script does, which Pythons
 * are known, and lines that fit a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/findings.h"
#include "cli/doctor/known_pythons.h"
#include "cli/doctor/shell_script.h"
#include "cli/doctor/wrappers.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define COLUMNS      78

/* Words separated by blanks; the command begins with CMD. */
static void check_command(const char *line, bool has_one)
{
    char copy[256];
    char *words[32] = {NULL};
    char *rest;
    uint32_t count = 0;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    const struct lh_wrapper *wrapper = lh_wrapper_find(words[0]);
    assert_non_null(wrapper);
    char **command = lh_wrapper_command(wrapper, words);
    if (has_one)
        assert_string_equal(*command, "CMD");
    else
        assert_null(command);
}

static void test_command_of_a_wrapper_begins_behind_its_flags(void **state)
{
    (void)state;
    check_command("/usr/bin/sudo CMD -u x", true);
    check_command("sudo -u www -nE A=b CMD", true);
    check_command("sudo -uwww -- CMD", true);
    check_command("env -i A=b C= CMD", true);
    check_command("env -u A CMD", true);
    check_command("timeout -s INT --kill-after=1 5 CMD", true);
    check_command("taskset 3 CMD", true);
    check_command("nice CMD -n 5", true);
    check_command("nice -n 5", false);
    check_command("timeout 5", false);
    check_command("sudo -u", false);
    check_command("docker run CMD", false);
    assert_null(lh_wrapper_find("/usr/bin/sudoku"));
}

static void test_command_of_a_shell_is_taken_only_as_it_stands(void **state)
{
    static const struct {
        const char *flags;
        const char *text;
        const char *command;
    } cases[] = {{"-c", "exec app -x", "app -x"}, {"-lc", "app", "app"},
                 {"-c", "app; other", NULL},      {"-c", "app $A", NULL},
                 {"-c", "A=b app", NULL},         {"-x", "app", NULL},
                 {"--rcfilec", "app", NULL}};
    (void)state;
    for (uint32_t i = 0; i < COUNT(cases); i++) {
        char *command = lh_shell_command(cases[i].flags, cases[i].text);
        if (cases[i].command == NULL)
            assert_null(command);
        else
            assert_string_equal(command, cases[i].command);
        free(command);
    }
}

/* The command that the script goes on with, in malloc(3)ed memory. */
static char *read_script(const char *text, struct lh_shell_notes *notes)
{
    char path[] = "/tmp/loophound-doctor-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    *notes = (struct lh_shell_notes){.count = 0};
    char *command = lh_shell_script_read(notes, path);
    unlink(path);
    return command;
}

static void test_lines_of_a_script_that_touch_ld_preload_are_noted(void **state)
{
    struct lh_shell_notes notes;
    (void)state;
    char *command = read_script("#!/bin/sh\n"
                                "# unset LD_PRELOAD\n"
                                "export LD_PRELOAD=/x.so:$LD_PRELOAD\n"
                                "  unset LD_PRELOAD\n"
                                "LD_PRELOAD=/y.so app\n"
                                "echo sudo\n"
                                "env -i app\n"
                                "exec /opt/app --port 80 \"$@\" >log\n",
                                &notes);
    assert_string_equal(command, "/opt/app --port 80 \"$@\" >log");
    free(command);
    assert_int_equal(notes.count, 3);
    assert_int_equal(notes.lines[0].number, 4);
    assert_string_equal(notes.lines[0].text, "unset LD_PRELOAD");
    assert_int_equal(notes.lines[1].number, 5);
    assert_int_equal(notes.lines[2].number, 7);
    assert_null(read_script("exec $APP\n", &notes));
    assert_null(read_script("exec >log\n", &notes));
    assert_null(read_script("exec 3>&1\n", &notes));
    command = read_script("exec \"$@\"\n", &notes);
    assert_string_equal(command, "\"$@\"");
    free(command);
}

static void test_pythons_are_known_by_the_table_of_offsets(void **state)
{
    char text[32];
    (void)state;
    assert_true(lh_python_is_known(0x030b02f0));
    assert_false(lh_python_is_known(0x030702f0));
    assert_false(lh_python_is_known(0x02070000));
    lh_python_text(0x030b02f0, text, sizeof(text));
    assert_string_equal(text, "3.11.2");
    lh_python_text(0x030b0000, text, sizeof(text));
    assert_string_equal(text, "3.11");
    lh_python_range(text, sizeof(text));
    assert_non_null(strstr(text, "3.8 to 3."));
}

static void test_lines_fit_a_terminal_and_nothing_is_lost(void **state)
{
    static struct lh_findings findings;
    static const char said[] =
        "0123456789012345678901234567890123456789 and a word that is longer than a line: "
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        " \x1b[31m end";
    char *printed = NULL;
    size_t size = 0;
    (void)state;
    findings.check = "test";
    lh_find(&findings, LH_WARN, "%s", said);
    lh_find_todo(&findings, "%s", said);
    FILE *to = open_memstream(&printed, &size);
    lh_findings_print(&findings, to);
    (void)fclose(to);
    char *rest;
    for (char *line = strtok_r(printed, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        size_t columns = 0;
        for (const char *c = line; *c != '\0'; c++)
            columns += ((unsigned char)*c & 0xc0) != 0x80;
        assert_true(columns <= COLUMNS);
        assert_null(strchr(line, '\x1b'));
    }
    free(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_of_a_wrapper_begins_behind_its_flags),
        cmocka_unit_test(test_command_of_a_shell_is_taken_only_as_it_stands),
        cmocka_unit_test(test_lines_of_a_script_that_touch_ld_preload_are_noted),
        cmocka_unit_test(test_pythons_are_known_by_the_table_of_offsets),
        cmocka_unit_test(test_lines_fit_a_terminal_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
