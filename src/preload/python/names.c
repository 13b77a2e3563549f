/* SPDX-License-Identifier: Apache-2.0 */
/* Python's str objects as UTF-8 in a record.
 *
 * Runs on the program's threads and on the watchdog. No malloc, no stdio, no libc that may set
 * errno; what it reads may be anything.
 *
 * A str keeps its characters in the narrowest of three kinds, one, two or four bytes each (PEP
 * 393). What UTF-8 cannot say (a lone surrogate) or a C string cannot (NUL) becomes U+FFFD. */
#include "preload/python/names.h"

#include <errno.h>
#include <string.h>

#include "common/mix.h"
#include "common/utf8.h"
#include "preload/python/object.h"

#define PAGE       4096u
#define LENGTH_MAX (1 << 24) /* no name is longer: the object is not what it seems */
#define WINDOW     320u      /* first reading of a str: its header and, mostly, all of it */

#define REPLACEMENT    0xfffdu
#define CODE_POINT_MAX 0x10ffffu

/* PyASCIIObject.state, from string_kind_bit on: kind (3 bits), compact, ascii. */
#define STATE_KIND(state)    ((state)&7)
#define STATE_COMPACT(state) (((state) >> 3) & 1)
#define STATE_ASCII(state)   (((state) >> 4) & 1)

struct text {
    uintptr_t address; /* of the first character */
    uint32_t count;    /* characters */
    uint8_t kind;      /* bytes of each */
};

/* A name's last characters: each takes at least one byte of UTF-8, so that these are enough. */
union characters {
    uint8_t bytes[LH_PYTHON_NAME_MAX * 4];
    uint8_t one[LH_PYTHON_NAME_MAX];
    uint16_t two[LH_PYTHON_NAME_MAX];
    uint32_t four[LH_PYTHON_NAME_MAX];
};

static uint32_t character(const union characters *all, uint8_t kind, uint32_t index)
{
    uint32_t c = kind == 1 ? all->one[index] : kind == 2 ? all->two[index] : all->four[index];
    if (c == 0 || (c >= 0xd800 && c <= 0xdfff) || c > CODE_POINT_MAX)
        return REPLACEMENT;
    return c;
}

/* Checks the header of the str object at `address`. */
static int parse_header(const struct lh_python_layout *layout, const uint8_t *header,
                        uintptr_t address, struct text *text)
{
    const struct lh_python_offsets *at = &layout->at;
    uintptr_t type;
    int64_t length;
    uint32_t state;
    memcpy(&type, header + at->object_type, sizeof(type));
    memcpy(&length, header + at->string_length, sizeof(length));
    memcpy(&state, header + at->string_state, sizeof(state));
    state >>= at->string_kind_bit;
    uint8_t kind = STATE_KIND(state);
    if (type != layout->string_type || length < 0 || length > LENGTH_MAX || !STATE_COMPACT(state) ||
        (kind != 1 && kind != 2 && kind != 4))
        return -EINVAL;
    text->address = address + (STATE_ASCII(state) ? at->string_ascii : at->string_wide);
    text->count = (uint32_t)length;
    text->kind = kind;
    return 0;
}

/* Cuts the text to its last characters and gets them, with one reading where the object is short
 * and does not cross a page: what starts in a readable page is readable to its end. From a store,
 * where a reading costs little, the header comes first. */
static int read_tail(const struct lh_python_walk *walk, uintptr_t address, struct text *text,
                     union characters *tail)
{
    uint8_t *window = tail->bytes;
    size_t size = PAGE - (address & (PAGE - 1));
    size_t most = walk->view.store != NULL ? LH_PYTHON_HEADER_SPAN_MAX : WINDOW;
    if (size < walk->layout->at.string_ascii)
        size = walk->layout->at.string_ascii;
    if (size > most)
        size = most;
    if (lh_python_read(walk, window, address, size) != 0)
        return -EFAULT;
    int error = parse_header(walk->layout, window, address, text);
    if (error)
        return error;
    if (text->count > LH_PYTHON_NAME_MAX) {
        text->address += (size_t)(text->count - LH_PYTHON_NAME_MAX) * text->kind;
        text->count = LH_PYTHON_NAME_MAX;
    }
    size_t bytes = (size_t)text->count * text->kind;
    size_t skip = text->address - address;
    if (skip + bytes <= size) {
        memmove(tail->bytes, window + skip, bytes);
        return 0;
    }
    return lh_python_read(walk, tail->bytes, text->address, bytes) != 0 ? -EFAULT : 0;
}

/* Are all characters of ASCII, none of them NUL, as in nearly all names? */
static bool is_plain(const union characters *tail, const struct text *text)
{
    bool is_plain = text->kind == 1;
    for (uint32_t i = 0; is_plain && i < text->count; i++)
        is_plain = tail->one[i] != 0 && tail->one[i] < 0x80;
    return is_plain;
}

/* The first of the last characters that fit a name; *bytes is how many they take. */
static uint32_t first_that_fits(const union characters *tail, const struct text *text,
                                uint32_t *bytes)
{
    uint32_t first = text->count;
    *bytes = 0;
    if (is_plain(tail, text)) {
        *bytes = text->count;
        return 0;
    }
    while (first > 0) {
        uint32_t more = lh_utf8_length(character(tail, text->kind, first - 1));
        if (*bytes + more > LH_PYTHON_NAME_MAX)
            break;
        *bytes += more;
        first--;
    }
    return first;
}

static void put_text(char *to, const union characters *tail, const struct text *text,
                     uint32_t first)
{
    if (is_plain(tail, text)) {
        memcpy(to, tail->one, text->count);
        to[text->count] = '\0';
        return;
    }
    for (uint32_t i = first; i < text->count; i++)
        to = lh_utf8_put(to, character(tail, text->kind, i));
    *to = '\0';
}

static int store(struct lh_record *record, const union characters *tail, const struct text *text,
                 uint16_t *offset)
{
    uint32_t bytes;
    uint32_t first = first_that_fits(tail, text, &bytes);
    if (record->strings_length + bytes + 1 > LH_STRING_BYTES)
        return -ENOSPC;
    *offset = (uint16_t)record->strings_length;
    put_text(record->strings + record->strings_length, tail, text, first);
    record->strings_length += bytes + 1;
    return 0;
}

int lh_python_name_text(const struct lh_python_walk *walk, uintptr_t address,
                        char to[LH_PYTHON_NAME_MAX + 1])
{
    union characters tail;
    struct text text;
    uint32_t bytes;
    int error = read_tail(walk, address, &text, &tail);
    if (error == 0)
        put_text(to, &tail, &text, first_that_fits(&tail, &text, &bytes));
    return error;
}

/* PyASCIIObject has its length, then its hash, -1 until somebody asks for it; the same since 3.8.
 */
#define HASH_UNKNOWN UINT64_MAX
#define HASHED_BYTES 16u /* of a text whose hash nobody asked for, its end */

uint64_t lh_python_name_hash(const struct lh_python_walk *walk, uintptr_t address)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    struct {
        uint64_t length;
        uint64_t hash;
    } head;
    uint64_t end[HASHED_BYTES / sizeof(uint64_t)] = {0};
    if (lh_python_read(walk, &head, address + at->string_length, sizeof(head)) != 0)
        return 0;
    if (head.hash != HASH_UNKNOWN)
        return lh_mix(head.length, head.hash);
    uint64_t taken = head.length < sizeof(end) ? head.length : sizeof(end);
    if (lh_python_read(walk, end, address + at->string_ascii + head.length - taken, taken) != 0)
        return 0;
    return lh_mix(lh_mix(head.length, end[0]), end[1]);
}

int lh_python_store_name(struct lh_python_walk *walk, uintptr_t address, uint16_t *offset)
{
    size_t slot = (address >> 4) % LH_PYTHON_NAMES_SEEN;
    if (address != 0 && walk->seen[slot] == address) {
        *offset = walk->seen_at[slot];
        return 0;
    }
    union characters tail;
    struct text text;
    int error = read_tail(walk, address, &text, &tail);
    if (error == 0)
        error = store(walk->record, &tail, &text, offset);
    if (error)
        return error;
    walk->seen[slot] = address;
    walk->seen_at[slot] = *offset;
    return 0;
}

bool lh_python_name_ends(const struct lh_python_walk *walk, uintptr_t address, const char *end,
                         char before)
{
    union characters tail;
    struct text text;
    size_t length = strlen(end);
    if (address == 0 || read_tail(walk, address, &text, &tail) != 0 || text.count < length)
        return false;
    uint32_t first = text.count - (uint32_t)length;
    for (uint32_t i = 0; i < length; i++)
        if (character(&tail, text.kind, first + i) != (unsigned char)end[i])
            return false;
    return first == 0 || character(&tail, text.kind, first - 1) == (unsigned char)before;
}
