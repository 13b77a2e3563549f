/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/json.h"

static char buf[4096];

static struct lh_json start(void)
{
    struct lh_json json;
    lh_json_init(&json, buf, sizeof(buf));
    return json;
}

static void assert_written(const struct lh_json *json, const char *expected)
{
    assert_false(json->overflow);
    assert_int_equal(json->length, strlen(expected));
    assert_memory_equal(json->buf, expected, json->length);
}

static void assert_string(const char *text, size_t length, const char *expected)
{
    struct lh_json json = start();
    lh_json_string_n(&json, text, length);
    assert_written(&json, expected);
}

static void test_commas_stand_between_and_only_between(void **state)
{
    (void)state;
    struct lh_json json = start();
    lh_json_open(&json, '{');
    lh_json_key(&json, "a");
    lh_json_open(&json, '[');
    lh_json_u64(&json, 1);
    lh_json_open(&json, '[');
    lh_json_close(&json, ']');
    lh_json_open(&json, '{');
    lh_json_close(&json, '}');
    lh_json_null(&json);
    lh_json_close(&json, ']');
    lh_json_key(&json, "b");
    lh_json_bool(&json, true);
    lh_json_key(&json, "c");
    lh_json_bool(&json, false);
    lh_json_close(&json, '}');
    assert_written(&json, "{\"a\":[1,[],{},null],\"b\":true,\"c\":false}");
}

static void test_a_string_that_ends_in_a_bracket_still_gets_its_comma(void **state)
{
    (void)state;
    struct lh_json json = start();
    lh_json_open(&json, '[');
    lh_json_string(&json, "[");
    lh_json_string(&json, "{:");
    lh_json_string(&json, "");
    lh_json_close(&json, ']');
    assert_written(&json, "[\"[\",\"{:\",\"\"]");
}

static void test_a_line_begins_without_a_comma(void **state)
{
    (void)state;
    struct lh_json json = start();
    lh_json_open(&json, '{');
    lh_json_close(&json, '}');
    lh_json_end_line(&json);
    lh_json_open(&json, '{');
    lh_json_close(&json, '}');
    assert_written(&json, "{}\n{}");
}

static void test_a_null_string_is_null(void **state)
{
    (void)state;
    struct lh_json json = start();
    lh_json_string(&json, NULL);
    assert_written(&json, "null");
}

static void test_control_characters_are_escaped(void **state)
{
    (void)state;
    assert_string("\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    assert_string("a\x01\x1f\x7f", 4, "\"a\\u0001\\u001f\\u007f\"");
    assert_string("\0x", 2, "\"\\u0000x\"");
    assert_string("/", 1, "\"/\"");
}

#define VALID "\xc3\xa9\xe2\x82\xac\xed\x9f\xbf\xf0\x9f\x90\x95\xf4\x8f\xbf\xbf"

static void test_utf8_stays_as_it_is(void **state)
{
    (void)state;
    assert_string(VALID, strlen(VALID), "\"" VALID "\"");
}

static void test_characters_that_are_not_seen_are_escaped(void **state)
{
    (void)state;
    assert_string("\xe2\x80\xae", 3, "\"\\u202e\"");
    assert_string("\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"");
    assert_string("\xc2\x80\xc2\x9f\xc2\xa0", 6, "\"\\u0080\\u009f\xc2\xa0\"");
    assert_string("\xf3\xa0\x80\x80", 4, "\"\\udb40\\udc00\"");
}

#define REPLACED "\xef\xbf\xbd"

static void test_bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    assert_string("a\xff"
                  "b",
                  3, "\"a" REPLACED "b\"");
    assert_string("\x80", 1, "\"" REPLACED "\"");
    assert_string("\xc0\xaf", 2, "\"" REPLACED REPLACED "\"");              /* overlong */
    assert_string("\xed\xa0\x80", 3, "\"" REPLACED REPLACED REPLACED "\""); /* surrogate */
    assert_string("\xf4\x90\x80\x80", 4, "\"" REPLACED REPLACED REPLACED REPLACED "\"");
    assert_string("\xe2\x82"
                  "a",
                  3, "\"" REPLACED "a\"");                /* cut short */
    assert_string("\xf0\x9f\x90", 3, "\"" REPLACED "\""); /* at the end */
    assert_string("\xe2\"", 2, "\"" REPLACED "\\\"\"");
}

static void test_a_character_is_not_read_past_the_length(void **state)
{
    (void)state;
    assert_string("\xc3\xa9", 1, "\"" REPLACED "\"");
}

static void test_numbers_reach_their_ends(void **state)
{
    (void)state;
    struct lh_json json = start();
    lh_json_open(&json, '[');
    lh_json_u64(&json, 0);
    lh_json_u64(&json, UINT64_MAX);
    lh_json_i64(&json, INT64_MIN);
    lh_json_i64(&json, INT64_MAX);
    lh_json_hex(&json, 0);
    lh_json_hex(&json, UINT64_MAX);
    lh_json_hex(&json, 0x1f);
    lh_json_close(&json, ']');
    assert_written(&json, "[0,18446744073709551615,-9223372036854775808,9223372036854775807,"
                          "\"0x0\",\"0xffffffffffffffff\",\"0x1f\"]");
}

static void test_milliseconds_keep_microseconds_and_never_round_up(void **state)
{
    (void)state;
    struct lh_json json = start();
    lh_json_open(&json, '[');
    lh_json_ms(&json, 0);
    lh_json_ms(&json, 301234567);
    lh_json_ms(&json, 99999999);
    lh_json_ms(&json, 1005000);
    lh_json_ms(&json, UINT64_MAX);
    lh_json_close(&json, ']');
    assert_written(&json, "[0.000,301.234,99.999,1.005,18446744073709.551]");
}

static void assert_time(int64_t ns, const char *expected)
{
    struct lh_json json = start();
    lh_json_time(&json, ns);
    assert_written(&json, expected);
}

static void test_times_are_rfc_3339_in_utc(void **state)
{
    (void)state;
    assert_time(0, "\"1970-01-01T00:00:00.000000Z\"");
    assert_time(1795232040123456789, "\"2026-11-21T03:34:00.123456Z\"");
    assert_time(-1, "\"1969-12-31T23:59:59.999999Z\"");
    assert_time(INT64_MIN, "\"1677-09-21T00:12:43.145224Z\"");
    assert_time(INT64_MAX, "\"2262-04-11T23:47:16.854775Z\"");
}

static void test_every_day_has_the_date_that_libc_gives_it(void **state)
{
    (void)state;
    for (time_t day = -40000; day <= 40000; day++) {
        char expected[64];
        struct tm tm;
        time_t second = day * 86400 + 86399;
        assert_non_null(gmtime_r(&second, &tm));
        strftime(expected, sizeof(expected), "\"%Y-%m-%dT%H:%M:%S.000000Z\"", &tm);
        assert_time((int64_t)second * 1000000000, expected);
    }
}

static void test_a_full_buffer_overflows_once_and_for_all(void **state)
{
    (void)state;
    struct lh_json json;
    char small[8];
    memset(small, '#', sizeof(small));
    lh_json_init(&json, small, 4);
    lh_json_open(&json, '[');
    lh_json_null(&json);
    assert_true(json.overflow);
    lh_json_close(&json, ']'); /* would fit, and would make it look whole */
    lh_json_u64(&json, 1);
    assert_int_equal(json.length, 1);
    assert_memory_equal(small + 4, "####", 4);
}

static void test_a_buffer_may_be_filled_to_its_last_byte(void **state)
{
    (void)state;
    struct lh_json json;
    char exact[4];
    lh_json_init(&json, exact, sizeof(exact));
    lh_json_null(&json);
    assert_written(&json, "null");
    lh_json_end_line(&json);
    assert_true(json.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_stand_between_and_only_between),
        cmocka_unit_test(test_a_string_that_ends_in_a_bracket_still_gets_its_comma),
        cmocka_unit_test(test_a_line_begins_without_a_comma),
        cmocka_unit_test(test_a_null_string_is_null),
        cmocka_unit_test(test_control_characters_are_escaped),
        cmocka_unit_test(test_utf8_stays_as_it_is),
        cmocka_unit_test(test_characters_that_are_not_seen_are_escaped),
        cmocka_unit_test(test_bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(test_a_character_is_not_read_past_the_length),
        cmocka_unit_test(test_numbers_reach_their_ends),
        cmocka_unit_test(test_milliseconds_keep_microseconds_and_never_round_up),
        cmocka_unit_test(test_times_are_rfc_3339_in_utc),
        cmocka_unit_test(test_every_day_has_the_date_that_libc_gives_it),
        cmocka_unit_test(test_a_full_buffer_overflows_once_and_for_all),
        cmocka_unit_test(test_a_buffer_may_be_filled_to_its_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
