/* SPDX-License-Identifier: Apache-2.0 */
/* Names of code that was made at run time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/stack/jit_map.h"

static char path[64];

static void append(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int make_path(void **state)
{
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
    *state = lh_jit_map_new(getpid(), maps_fd);
    close(maps_fd);
    return *state != NULL ? 0 : -1;
}

static int remove_path(void **state)
{
    lh_jit_map_free(*state);
    unlink(path);
    return 0;
}

static void expect(void *map, uint64_t address, const char *function)
{
    struct lh_jit_symbol found;
    if (function == NULL) {
        assert_false(lh_jit_map_find(map, address, &found));
        return;
    }
    assert_true(lh_jit_map_find(map, address, &found));
    assert_string_equal(found.function, function);
}

static void test_address_has_the_name_of_the_code_it_lies_in(void **state)
{
    append("1000 10 one\n2000 20 two\n1010 8 Foo::bar(int, char*)\n");
    expect(*state, 0x1000, "one");
    expect(*state, 0x100f, "one");
    expect(*state, 0x1010, "Foo::bar(int, char*)");
    expect(*state, 0x1018, NULL);
    expect(*state, 0x201f, "two");
    expect(*state, 0xfff, NULL);
    expect(*state, UINT64_MAX, NULL);
}

static void test_code_that_was_put_there_last_counts(void **state)
{
    append("1000 100 old\n1000 100 new\n1040 10 newest\n");
    expect(*state, 0x1000, "new");
    expect(*state, 0x1045, "newest");
    append("1000 100 last\n");
    expect(*state, 0x1045, "last");
}

static void test_map_may_appear_and_grow_in_the_middle_of_a_line(void **state)
{
    expect(*state, 0x1000, NULL);
    append("1000 10 fir");
    expect(*state, 0x1000, NULL);
    append("st\n2000 10 second\n");
    expect(*state, 0x1000, "first");
    expect(*state, 0x2000, "second");
}

static void test_rubbish_is_passed_over(void **state)
{
    append("\n\n rubbish\n1000\n1000 \n1000 10\n1000 10 \n1000 0 none\nzz 10 x\n-1 -1 minus\n"
           "ffffffffffffffffffff 10 over\n");
    char *line = malloc(200001);
    memset(line, 'x', 200000);
    line[200000] = '\0';
    append(line);
    append("\n3000 10 behind it\n");
    free(line);
    expect(*state, 0x1000, NULL);
    expect(*state, 0x3000, "behind it");
}

static void test_file_of_somebody_else_is_not_believed(void **state)
{
    if (geteuid() != 0)
        skip();
    append("1000 10 one\n");
    assert_int_equal(chown(path, 12345, 12345), 0);
    expect(*state, 0x1000, NULL);
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    expect(*state, 0x1000, NULL);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(*state, 0x1000, NULL);
}

/* Of root's or the process's own file: somebody else may have put it there under this name. */
static void test_link_to_a_file_is_not_believed(void **state)
{
    char other[80];
    snprintf(other, sizeof(other), "%s.other", path);
    append("1000 10 one\n");
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    expect(*state, 0x1000, NULL);
    unlink(path);
    assert_int_equal(link(other, path), 0);
    expect(*state, 0x1000, NULL);
    unlink(other);
    expect(*state, 0x1000, "one");
}

/* There is no /proc of it, to say when it began. */
static void test_map_of_a_process_whose_age_is_unknown_is_not_believed(void **state)
{
    const pid_t none = 1 << 22; /* proc(5): pid_max */
    char name[64];
    (void)state;
    snprintf(name, sizeof(name), "/tmp/perf-%d.map", none);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "1000 10 one\n", 12), 12);
    close(fd);
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    struct lh_jit_map *map = lh_jit_map_new(none, maps_fd);
    close(maps_fd);
    expect(map, 0x1000, NULL);
    lh_jit_map_free(map);
    unlink(name);
}

/* Of a process that had the same number, as the kernel gives it again. */
static void test_map_older_than_its_process_is_not_believed(void **state)
{
    static const struct timespec long_ago[] = {{1000, 0}, {1000, 0}};
    append("1000 10 one\n");
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    expect(*state, 0x1000, NULL);
    assert_true(lh_jit_map_is_old(*state));
    append("2000 10 two\n");
    expect(*state, 0x2000, "two");
    assert_false(lh_jit_map_is_old(*state));
}

static void test_object_is_known_by_the_code_right_behind_it(void **state)
{
    struct lh_jit_symbol found;
    append("1000 10 JS:~f /a.js:7:1\n2000 10 g\n");
    assert_true(lh_jit_map_find_behind(*state, 0xfd1, 96, &found));
    assert_string_equal(found.function, "f");
    assert_false(lh_jit_map_find_behind(*state, 0xf01, 96, &found));
    assert_false(lh_jit_map_find_behind(*state, 0x1001, 96, &found));
    assert_false(lh_jit_map_find_behind(*state, 0x3001, 96, &found));
}

static void test_names_of_v8_have_a_file_and_a_line(void **state)
{
    static const struct {
        const char *name, *function, *file;
        uint32_t line;
    } names[] = {
        {"JS:~readAll /srv/app.js:6:27", "readAll", "/srv/app.js", 6},
        {"LazyCompile:*get total /srv/my app/a.js:12:3", "get total", "/srv/my app/a.js", 12},
        {"JS:^listOnTimeout node:internal/timers:524:25", "listOnTimeout", "node:internal/timers",
         524},
        {"JS:*run file:///srv/m.mjs:3:1", "run", "/srv/m.mjs", 3},
        {"JS:~ /srv/app.js:9:12", "(anonymous)", "/srv/app.js", 9},
        {"JS:~", "(anonymous)", NULL, 0},
        {"Builtin:ArrayMap", "Builtin:ArrayMap", NULL, 0},
        {"Lcom/shop/Cart;::total", "Lcom/shop/Cart;::total", NULL, 0},
        {"LazyCompile:*handler /srv/app.js:1", "handler", "/srv/app.js", 1}, /* Node.js 18 */
        {"JS:o*hot /srv/app.js:2:14", "hot", "/srv/app.js", 2},
        {"JS:o+hot /srv/app.js:2:14", "hot", "/srv/app.js", 2},
        {"JS:~open /srv/app.js:3:1", "open", "/srv/app.js", 3},
        {"JS:*op_sleep ext:core/01_core.js:7:9", "op_sleep", "ext:core/01_core.js", 7},
        {"JS:~f /a.js:99999999999999999999:1", "f", "/a.js", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[128];
        struct lh_jit_symbol found;
        snprintf(name, sizeof(name), "%s", names[i].name);
        lh_jit_name_parse(name, &found);
        assert_string_equal(found.function, names[i].function);
        assert_int_equal(found.line, names[i].line);
        if (names[i].file == NULL)
            assert_null(found.file);
        else
            assert_string_equal(found.file, names[i].file);
    }
}

#define MAP_TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAP_TEST(test_address_has_the_name_of_the_code_it_lies_in),
        MAP_TEST(test_code_that_was_put_there_last_counts),
        MAP_TEST(test_map_may_appear_and_grow_in_the_middle_of_a_line),
        MAP_TEST(test_rubbish_is_passed_over),
        MAP_TEST(test_file_of_somebody_else_is_not_believed),
        MAP_TEST(test_link_to_a_file_is_not_believed),
        cmocka_unit_test(test_map_of_a_process_whose_age_is_unknown_is_not_believed),
        MAP_TEST(test_map_older_than_its_process_is_not_believed),
        MAP_TEST(test_object_is_known_by_the_code_right_behind_it),
        cmocka_unit_test(test_names_of_v8_have_a_file_and_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
