/* SPDX-License-Identifier: Apache-2.0 */
/* The line table of a code object, streamed.
 *
 * Runs on the program's threads and on the watchdog. No malloc, no stdio, no libc that may set
 * errno; what it reads may be anything, and a bad table only costs the line number. */
#include "preload/python/lines.h"

#include <stdbool.h>

#define CHUNK           512u
#define VARINT_BITS_MAX 30 /* six chunks of six bits hold any int */

#define RANGE_WITHOUT_LINE (-128)

/* Codes of an entry, bits 3 to 6 of its first byte; below ONE_LINE are the short forms. */
enum { ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

struct stream {
    const struct lh_view *view;
    uintptr_t next; /* address of what is not in `chunk` yet */
    size_t left;    /* bytes from there to the end of the table */
    uint32_t at, end;
    bool failed; /* ran off the end, or memory that cannot be read */
    uint8_t chunk[CHUNK];
};

__attribute__((noinline)) static void refill(struct stream *stream)
{
    size_t size = stream->left < CHUNK ? stream->left : CHUNK;
    if (size == 0 || lh_view_read(stream->view, stream->chunk, stream->next, size) != 0) {
        stream->failed = true;
        stream->left = 0;
        return;
    }
    stream->next += size;
    stream->left -= size;
    stream->at = 0;
    stream->end = (uint32_t)size;
}

static inline uint8_t next_byte(struct stream *stream)
{
    if (stream->at == stream->end)
        refill(stream);
    return stream->failed ? 0 : stream->chunk[stream->at++];
}

/* Six bits a byte, the least first; bit 6 says that more follow. */
static uint32_t next_varint(struct stream *stream)
{
    uint32_t value = 0;
    for (int shift = 0; shift <= VARINT_BITS_MAX; shift += 6) {
        uint8_t byte = next_byte(stream);
        value |= (uint32_t)(byte & 0x3f) << shift;
        if ((byte & 0x40) == 0)
            return value;
    }
    stream->failed = true;
    return 0;
}

static int64_t next_signed_varint(struct stream *stream)
{
    uint32_t value = next_varint(stream);
    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static void skip_bytes(struct stream *stream, int count)
{
    while (count-- > 0)
        next_byte(stream);
}

/* Reads the rest of an entry. Returns by how much its line differs from the one before. */
static int64_t next_line_delta(struct stream *stream, int code)
{
    if (code == NONE)
        return 0;
    if (code == NO_COLUMNS)
        return next_signed_varint(stream);
    if (code == LONG) {
        int64_t delta = next_signed_varint(stream);
        for (int i = 0; i < 3; i++) /* end line, column, end column */
            next_varint(stream);
        return delta;
    }
    if (code >= ONE_LINE) {
        skip_bytes(stream, 2);
        return code - ONE_LINE;
    }
    skip_bytes(stream, 1);
    return 0;
}

static uint32_t line_number(int64_t line)
{
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

struct position {
    int64_t end; /* of the instructions so far, in bytes */
    int64_t line;
};

/* Passes the entries that end before the offset, as long as they have no varints, as most, and are
 * in the chunk: a table may have thousands. */
static void pass_short_forms(struct stream *stream, struct position *position, int64_t offset)
{
    struct position passed = *position;
    uint32_t at = stream->at;
    while (at + 3 <= stream->end) {
        uint8_t first = stream->chunk[at];
        int code = (first >> 3) & 15;
        int64_t end = passed.end + ((first & 7) + 1) * 2;
        if ((first & 0x80) == 0 || code >= NO_COLUMNS || end > offset)
            break;
        passed.end = end;
        passed.line += code >= ONE_LINE ? code - ONE_LINE : 0;
        at += code >= ONE_LINE ? 3 : 2;
    }
    stream->at = at;
    *position = passed;
}

static uint32_t line_in_locations(struct stream *stream, int64_t line, int64_t offset)
{
    struct position position = {0, line};
    while (position.end <= offset) {
        pass_short_forms(stream, &position, offset);
        uint8_t first = next_byte(stream);
        int code = (first >> 3) & 15;
        if ((first & 0x80) == 0)
            return 0;
        position.end += ((first & 7) + 1) * 2;
        position.line += next_line_delta(stream, code);
        if (stream->failed)
            return 0;
        if (position.end > offset)
            return code == NONE ? 0 : line_number(position.line);
    }
    return 0;
}

/* Pairs: for how many bytes, and by how much the line differs. */
static uint32_t line_in_ranges(struct stream *stream, int64_t line, int64_t offset)
{
    int64_t end = 0;
    while (end <= offset) {
        end += next_byte(stream);
        int8_t delta = (int8_t)next_byte(stream);
        if (stream->failed || (end > offset && delta == RANGE_WITHOUT_LINE))
            return 0;
        line += delta == RANGE_WITHOUT_LINE ? 0 : delta;
    }
    return line_number(line);
}

/* Pairs: how many bytes later, and by how much the line differs from there on. */
static uint32_t line_in_lnotab(struct stream *stream, int64_t line, int64_t offset)
{
    int64_t start = 0;
    while (stream->left > 0 || stream->at < stream->end) {
        start += next_byte(stream);
        int8_t delta = (int8_t)next_byte(stream);
        if (stream->failed)
            return 0;
        if (start > offset)
            break;
        line += delta;
    }
    return line_number(line);
}

uint32_t lh_python_line(enum lh_python_line_format format, const struct lh_view *view,
                        uintptr_t table, size_t length, int32_t first_line, int64_t offset)
{
    static uint32_t (*const find[])(struct stream *, int64_t, int64_t) = {
        [LH_PYTHON_LOCATIONS] = line_in_locations,
        [LH_PYTHON_RANGES] = line_in_ranges,
        [LH_PYTHON_LNOTAB] = line_in_lnotab,
    };
    struct stream stream = {.view = view, .next = table, .left = length};
    if (offset < 0) /* not started yet; PyCode_Addr2Line() says the same */
        return line_number(first_line);
    return find[format](&stream, first_line, offset);
}
