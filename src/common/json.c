/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer. Runs anywhere, also in the watchdog: no malloc, no stdio, no locale, no
 * thread-local storage.
 *
 * It keeps no state beside the buffer: whether a comma is due shows in the last byte written. */
#include "common/json.h"

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "common/utf8.h"

#define S_PER_DAY 86400

static void put(struct lh_json *json, const char *bytes, size_t length)
{
    if (json->overflow || length > json->size - json->length) {
        json->overflow = true;
        return;
    }
    memcpy(json->buf + json->length, bytes, length);
    json->length += length;
}

static void put_char(struct lh_json *json, char c)
{
    put(json, &c, 1);
}

static void put_number(struct lh_json *json, uint64_t value, unsigned base)
{
    char digits[LH_DIGITS];
    size_t count = lh_digits(value, base, digits);
    put(json, digits, count);
}

/* Exactly `width` digits, with zeros in front. */
static void put_padded(struct lh_json *json, uint64_t value, unsigned width)
{
    char digits[LH_DIGITS];
    for (unsigned i = width; i > 0; i--) {
        digits[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    put(json, digits, width);
}

static void begin_value(struct lh_json *json)
{
    if (json->overflow || json->length == 0)
        return;
    char last = json->buf[json->length - 1];
    if (last != '{' && last != '[' && last != ':' && last != '\n')
        put_char(json, ',');
}

void lh_json_init(struct lh_json *json, char *buf, size_t size)
{
    *json = (struct lh_json){.buf = buf, .size = size};
}

void lh_json_open(struct lh_json *json, char bracket)
{
    begin_value(json);
    put_char(json, bracket);
}

void lh_json_close(struct lh_json *json, char bracket)
{
    put_char(json, bracket);
}

void lh_json_end_line(struct lh_json *json)
{
    put_char(json, '\n');
}

void lh_json_key(struct lh_json *json, const char *key)
{
    lh_json_string(json, key);
    put_char(json, ':');
}

static void put_unit(struct lh_json *json, uint32_t unit)
{
    const char escape[] = {'\\',
                           'u',
                           LH_HEX_DIGITS[unit >> 12 & 15],
                           LH_HEX_DIGITS[unit >> 8 & 15],
                           LH_HEX_DIGITS[unit >> 4 & 15],
                           LH_HEX_DIGITS[unit & 15]};
    put(json, escape, sizeof(escape));
}

/* RFC 8259, section 7: two units of UTF-16 where one is not enough. */
static void put_hidden(struct lh_json *json, uint32_t code)
{
    if (code < 0x10000) {
        put_unit(json, code);
        return;
    }
    put_unit(json, 0xd800 | (code - 0x10000) >> 10);
    put_unit(json, 0xdc00 | (code & 0x3ff));
}

static void put_escaped(struct lh_json *json, unsigned char c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, its letter */
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if ((unsigned char)letters[i] != c)
            continue;
        put_char(json, '\\');
        put_char(json, letters[i + 1]);
        return;
    }
    put_unit(json, c);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* How many bytes from here on are written as they are. Nearly all of a report is such text. */
static size_t plain_span(const char *text, size_t length)
{
    size_t span = 0;
    while (span < length && (unsigned char)text[span] < 0x80 &&
           !needs_escape((unsigned char)text[span]))
        span++;
    return span;
}

void lh_json_string_n(struct lh_json *json, const char *text, size_t length)
{
    begin_value(json);
    put_char(json, '"');
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t plain = plain_span(text + i, length - i);
        put(json, text + i, plain);
        i += plain;
        if (i == length)
            break;
        size_t span = lh_utf8_next(text + i, length - i, &code);
        if (code == LH_UTF8_NONE)
            put(json, "\xef\xbf\xbd", 3);
        else if (span == 1 && needs_escape((unsigned char)code))
            put_escaped(json, (unsigned char)code);
        else if (lh_utf8_is_hidden(code))
            put_hidden(json, code);
        else
            put(json, text + i, span);
        i += span;
    }
    put_char(json, '"');
}

void lh_json_string(struct lh_json *json, const char *text)
{
    if (text == NULL) {
        lh_json_null(json);
        return;
    }
    lh_json_string_n(json, text, strlen(text));
}

void lh_json_u64(struct lh_json *json, uint64_t value)
{
    begin_value(json);
    put_number(json, value, 10);
}

void lh_json_i64(struct lh_json *json, int64_t value)
{
    begin_value(json);
    if (value < 0)
        put_char(json, '-');
    put_number(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void lh_json_hex(struct lh_json *json, uint64_t value)
{
    begin_value(json);
    put(json, "\"0x", 3);
    put_number(json, value, 16);
    put_char(json, '"');
}

void lh_json_id(struct lh_json *json, uint64_t value)
{
    char text[LH_ID_DIGITS];
    for (unsigned i = LH_ID_DIGITS; i > 0; i--) {
        text[i - 1] = LH_HEX_DIGITS[value & 15];
        value >>= 4;
    }
    begin_value(json);
    put_char(json, '"');
    put(json, text, sizeof(text));
    put_char(json, '"');
}

void lh_json_ms(struct lh_json *json, uint64_t ns)
{
    uint64_t us = ns / LH_NS_PER_US;
    begin_value(json);
    put_number(json, us / 1000, 10);
    put_char(json, '.');
    put_padded(json, us % 1000, 3);
}

void lh_json_bool(struct lh_json *json, bool value)
{
    begin_value(json);
    put(json, value ? "true" : "false", value ? 4 : 5);
}

void lh_json_null(struct lh_json *json)
{
    begin_value(json);
    put(json, "null", 4);
}

/* Towards the earlier time, also before 1970. */
static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

/* The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the
 * leap day comes last: then the months before it have the lengths of (153 m + 2) / 5. */
static void put_date(struct lh_json *json, int64_t day)
{
    int64_t from_era = day + 719468;              /* days from 0000-03-01 */
    int64_t era = floor_divide(from_era, 146097); /* of 400 years */
    int64_t day_of_era = from_era - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);

    put_padded(json, (uint64_t)year, 4);
    put_char(json, '-');
    put_padded(json, (uint64_t)month, 2);
    put_char(json, '-');
    put_padded(json, (uint64_t)(day_of_year - (153 * march_month + 2) / 5 + 1), 2);
}

void lh_json_time(struct lh_json *json, int64_t realtime_ns)
{
    int64_t second = floor_divide(realtime_ns, LH_NS_PER_S);
    int64_t day = floor_divide(second, S_PER_DAY);
    uint64_t second_of_day = (uint64_t)(second - day * S_PER_DAY);
    int64_t ns = realtime_ns % LH_NS_PER_S;
    if (ns < 0)
        ns += LH_NS_PER_S;

    begin_value(json);
    put_char(json, '"');
    put_date(json, day);
    put_char(json, 'T');
    put_padded(json, second_of_day / 3600, 2);
    put_char(json, ':');
    put_padded(json, second_of_day / 60 % 60, 2);
    put_char(json, ':');
    put_padded(json, second_of_day % 60, 2);
    put_char(json, '.');
    put_padded(json, (uint64_t)ns / LH_NS_PER_US, 6);
    put(json, "Z\"", 2);
}
