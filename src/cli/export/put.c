/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to a stream. See put.h. */
#include "cli/export/put.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/units.h"

#define PIECE       1024u /* bytes of a text at once */
#define PIECE_BYTES (6 * PIECE + 2)

static void put_comma(struct lh_put *put)
{
    if (put->comma)
        fputc(',', put->to);
    put->comma = true;
}

void lh_put_open(struct lh_put *put, char bracket)
{
    put_comma(put);
    fputc(bracket, put->to);
    put->comma = false;
}

void lh_put_close(struct lh_put *put, char bracket)
{
    fputc(bracket, put->to);
    put->comma = true;
}

/* Where a piece of at most PIECE bytes ends, between two characters. */
static size_t piece_of(const char *text, size_t length)
{
    if (length <= PIECE)
        return length;
    size_t end = PIECE;
    while (end > PIECE - 4 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* The writer of events escapes; here without its quotes, piece by piece. */
static void put_escaped(FILE *to, const char *text)
{
    char room[PIECE_BYTES];
    size_t length = strlen(text);
    fputc('"', to);
    while (length > 0) {
        struct lh_json json;
        size_t piece = piece_of(text, length);
        lh_json_init(&json, room, sizeof(room));
        lh_json_string_n(&json, text, piece);
        fwrite(room + 1, 1, json.length - 2, to);
        text += piece;
        length -= piece;
    }
    fputc('"', to);
}

void lh_put_key(struct lh_put *put, const char *key)
{
    put_comma(put);
    fprintf(put->to, "\"%s\":", key);
    put->comma = false;
}

void lh_put_null(struct lh_put *put)
{
    put_comma(put);
    fputs("null", put->to);
}

void lh_put_string(struct lh_put *put, const char *text)
{
    put_comma(put);
    if (text != NULL)
        put_escaped(put->to, text);
    else
        fputs("null", put->to);
}

void lh_put_u64(struct lh_put *put, uint64_t value)
{
    put_comma(put);
    fprintf(put->to, "%" PRIu64, value);
}

void lh_put_i64(struct lh_put *put, int64_t value)
{
    put_comma(put);
    fprintf(put->to, "%" PRId64, value);
}

void lh_put_bool(struct lh_put *put, bool value)
{
    put_comma(put);
    fputs(value ? "true" : "false", put->to);
}

/* Without noughts at the end. */
static void put_fraction(FILE *to, uint64_t value, uint64_t unit, int digits)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%0*" PRIu64, digits, value % unit);
    while (length > 0 && text[length - 1] == '0')
        length--;
    fprintf(to, "%" PRIu64, value / unit);
    if (length > 0)
        fprintf(to, ".%.*s", length, text);
}

void lh_put_ms(struct lh_put *put, uint64_t ns)
{
    put_comma(put);
    put_fraction(put->to, ns, (uint64_t)LH_NS_PER_MS, 6);
}

void lh_put_us(struct lh_put *put, uint64_t ns)
{
    put_comma(put);
    put_fraction(put->to, ns, (uint64_t)LH_NS_PER_US, 3);
}

void lh_put_text(struct lh_put *put, const char *key, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    lh_put_key(put, key);
    lh_put_string(put, text);
}

void lh_put_number(struct lh_put *put, const char *key, uint64_t value)
{
    lh_put_key(put, key);
    lh_put_u64(put, value);
}

void lh_put_millis(struct lh_put *put, const char *key, uint64_t ns)
{
    lh_put_key(put, key);
    lh_put_ms(put, ns);
}
