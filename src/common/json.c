/* The JSON writer. Runs anywhere, also in the watchdog: no malloc, no stdio, no locale, no
 * thread-local storage.
 *
 * It keeps no state beside the buffer: whether a comma is due shows in the last byte written. */
#include "common/json.h"

#include <string.h>

#include "common/text.h"

#define NS_PER_S  1000000000
#define NS_PER_US 1000
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

static bool is_continuation(unsigned char byte, unsigned char least, unsigned char most)
{
    return byte >= least && byte <= most;
}

/* The Unicode Standard, table 3-7: which second bytes may follow a first byte. */
static const struct utf8_row {
    unsigned char first, last; /* range of the first byte */
    unsigned char least, most; /* range of the second byte */
    unsigned char length;
} utf8_rows[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* How many bytes from `text` on are one character (*valid), or the beginning of one that is not. */
static size_t utf8_span(const unsigned char *text, size_t length, bool *valid)
{
    const struct utf8_row *row = NULL;
    for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]) && row == NULL; i++)
        if (text[0] >= utf8_rows[i].first && text[0] <= utf8_rows[i].last)
            row = &utf8_rows[i];
    *valid = false;
    if (row == NULL)
        return 1;
    size_t span = 1;
    if (span < row->length && span < length && is_continuation(text[1], row->least, row->most))
        span++;
    while (span > 1 && span < row->length && span < length &&
           is_continuation(text[span], 0x80, 0xbf))
        span++;
    *valid = span == row->length;
    return span;
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
    static const char hex[] = "0123456789abcdef";
    const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    put(json, escape, sizeof(escape));
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

void lh_json_string_n(struct lh_json *json, const char *text, size_t length)
{
    begin_value(json);
    put_char(json, '"');
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        bool valid;
        size_t span = utf8_span(bytes + i, length - i, &valid);
        if (!valid)
            put(json, "\xef\xbf\xbd", 3);
        else if (span == 1 && needs_escape(bytes[i]))
            put_escaped(json, bytes[i]);
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

void lh_json_ms(struct lh_json *json, uint64_t ns)
{
    uint64_t us = ns / NS_PER_US;
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
    int64_t second = floor_divide(realtime_ns, NS_PER_S);
    int64_t day = floor_divide(second, S_PER_DAY);
    uint64_t second_of_day = (uint64_t)(second - day * S_PER_DAY);
    int64_t ns = realtime_ns % NS_PER_S;
    if (ns < 0)
        ns += NS_PER_S;

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
    put_padded(json, (uint64_t)ns / NS_PER_US, 6);
    put(json, "Z\"", 2);
}
