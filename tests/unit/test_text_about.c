/* SPDX-License-Identifier: Apache-2.0 */
/* What a stack was at, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "collect/sink/text_parts.h"
#include "common/units.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static char bytes[512];

static const char *about(const struct lh_frame *frames, uint32_t count)
{
    struct lh_text text;
    lh_text_init(&text, bytes, sizeof(bytes));
    lh_text_about(&text, frames, count);
    return bytes;
}

static const char *amount(uint64_t size)
{
    struct lh_text text;
    const struct lh_about of = {.kind = LH_JS_ABOUT_TEXT, .amount = size};
    lh_text_init(&text, bytes, sizeof(bytes));
    lh_text_amount(&text, &of);
    return bytes;
}

static void test_innermost_function_of_javascript_says_what_it_is_at(void **state)
{
    (void)state;
    struct lh_frame frames[] = {
        {.lang = LH_LANG_NATIVE, .function = "Builtins_RegExpReplace", .module = "/usr/bin/node"},
        {.lang = LH_LANG_JIT}, /* made for the expression */
        {.lang = LH_LANG_JIT,
         .function = "RegExp.test",
         .about = {.kind = LH_JS_ABOUT_REGEXP, .text = "^(a+)+$"}},
        {.lang = LH_LANG_JIT, .function = "price", .file = "/srv/shop.js", .line = 3}};
    assert_string_equal(about(frames, COUNT(frames)), " in the regular expression /^(a+)+$/");
    frames[2].about = (struct lh_about){.kind = LH_JS_ABOUT_TEXT, .amount = 11400003};
    frames[2].function = "JSON.parse";
    assert_string_equal(about(frames, COUNT(frames)), " in JSON.parse of 11.4 MB");
    frames[2].about = (struct lh_about){.kind = LH_JS_ABOUT_ARRAY, .amount = 1000000};
    frames[2].function = "JSON.stringify";
    assert_string_equal(about(frames, COUNT(frames)), " in JSON.stringify of an array of 1000000");
}

/* String.replace() calls a function of the program's, which is what takes long. */
static void test_what_is_further_out_is_not_told(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {
        {.lang = LH_LANG_JIT, .function = "price", .file = "/srv/shop.js", .line = 3},
        {.lang = LH_LANG_JIT,
         .function = "String.replace",
         .about = {.kind = LH_JS_ABOUT_REGEXP, .text = "a"}}};
    assert_string_equal(about(frames, COUNT(frames)), "");
    assert_string_equal(about(frames, 0), "");
}

static void test_bytes_are_told_in_three_digits_or_so(void **state)
{
    (void)state;
    assert_string_equal(amount(0), "0 bytes");
    assert_string_equal(amount(999), "999 bytes");
    assert_string_equal(amount(1000), "1.0 kB");
    assert_string_equal(amount(123456), "123 kB");
    assert_string_equal(amount(11400003), "11.4 MB");
    assert_string_equal(amount(1073741824), "1.1 GB");
}

static void test_work_of_the_runtime_is_told_with_its_time(void **state)
{
    (void)state;
    struct lh_text text;
    struct lh_sample group = {.ns = 100 * (uint64_t)LH_NS_PER_MS};
    group.work_ns[LH_WORK_NONE] = 40 * (uint64_t)LH_NS_PER_MS;
    group.work_ns[LH_WORK_V8_SCAVENGE] = 20 * (uint64_t)LH_NS_PER_MS;
    group.work_ns[LH_WORK_V8_COMPILER] = 30 * (uint64_t)LH_NS_PER_MS;
    group.work_ns[LH_WORK_V8_GARBAGE] = 1000; /* not worth a word */
    lh_text_init(&text, bytes, sizeof(bytes));
    lh_text_work(&text, &group);
    assert_string_equal(bytes, ", 20.0 ms of it in V8's garbage collector, scavenge, 30.0 ms of it "
                               "in V8's compiler");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_innermost_function_of_javascript_says_what_it_is_at),
        cmocka_unit_test(test_what_is_further_out_is_not_told),
        cmocka_unit_test(test_bytes_are_told_in_three_digits_or_so),
        cmocka_unit_test(test_work_of_the_runtime_is_told_with_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
