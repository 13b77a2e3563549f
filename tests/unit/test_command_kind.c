/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a program's file, whatever the file holds: nothing is read out of its bounds. */
#include <fcntl.h>
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

#include "cli/command_kind.h"

#define IMAGE_BYTES 4096
#define ROUNDS      3000
#define FLIPS       8
#define HEADERS     820 /* bytes up to the end of the name of the dynamic linker */

static char path[64];

static void write_program(const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

static enum lh_command_kind kind_of(const void *bytes, size_t length)
{
    struct lh_command command;
    write_program(bytes, length);
    lh_command_find(path, &command);
    assert_true(command.kind < LH_COMMAND_KINDS);
    assert_non_null(memchr(command.linker, '\0', sizeof(command.linker)));
    assert_non_null(memchr(command.program, '\0', sizeof(command.program)));
    return command.kind;
}

static void read_self(uint8_t image[IMAGE_BYTES])
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, image, IMAGE_BYTES), IMAGE_BYTES);
    close(fd);
}

static void own_program_is_watchable(void **state)
{
    uint8_t image[IMAGE_BYTES];
    (void)state;
    read_self(image);
    assert_int_equal(kind_of(image, sizeof(image)), LH_COMMAND_WATCHABLE);
}

static void damaged_files_are_some_kind(void **state)
{
    uint8_t image[IMAGE_BYTES];
    uint8_t copy[IMAGE_BYTES];
    unsigned seen[LH_COMMAND_KINDS] = {0};
    (void)state;
    read_self(image);
    srandom(1);
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(copy, image, sizeof(copy));
        for (int flip = 0; flip < FLIPS; flip++)
            copy[random() % HEADERS] ^= (uint8_t)(1 << random() % 8);
        size_t length = random() % 2 == 0 ? sizeof(copy) : (size_t)random() % sizeof(copy);
        seen[kind_of(copy, length)]++;
    }
    assert_true(seen[LH_COMMAND_WATCHABLE] > 0);
    assert_true(seen[LH_COMMAND_STATIC] > 0); /* the type of the linker's header was hit */
    assert_true(seen[LH_COMMAND_OTHER_LIBC] > 0);
    assert_true(seen[LH_COMMAND_OTHER_CPU] > 0);
}

static void script_that_is_its_own_interpreter_has_an_end(void **state)
{
    char script[128];
    (void)state;
    int length = snprintf(script, sizeof(script), "#!%s\n", path);
    assert_int_equal(kind_of(script, (size_t)length), LH_COMMAND_WATCHABLE);
}

static void odd_first_lines_name_no_interpreter(void **state)
{
    static const char *const lines[] = {"",     "#",       "#!",
                                        "#!\n", "#!   \n", "#! /nowhere/at/all -x\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(kind_of(lines[i], strlen(lines[i])), LH_COMMAND_WATCHABLE);
}

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/loophound-kind-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 || fchmod(fd, 0700) != 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_program_is_watchable),
        cmocka_unit_test(damaged_files_are_some_kind),
        cmocka_unit_test(script_that_is_its_own_interpreter_has_an_end),
        cmocka_unit_test(odd_first_lines_name_no_interpreter),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
