/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over Python frames in memory that may hold anything: each of its reads gets the next
 * bytes of the input, whatever the address.
 *
 * A byte says what a word of memory is: one of the values below, or the eight bytes that follow. So
 * one byte suffices for a pointer that leads on, to an object of the right type. */
#include <errno.h>

#include "fuzz.h"
#include "preload/python/walk.h"

#define WORD         sizeof(uint64_t)
#define CODE_TYPE    0x7f0000001000u
#define STRING_TYPE  0x7f0000002000u
#define BYTES_TYPE   0x7f0000003000u
#define RUNTIME      0x7f0000004000u
#define THREAD_STATE 0x7f0000005000u
#define ANYWHERE     0x7f0000006000u
#define RUNTIME_MAX  4096u

enum { UNREADABLE = 0xff };

static const uint64_t words[] = {
    0, 1, CODE_TYPE, STRING_TYPE, BYTES_TYPE, THREAD_STATE, ANYWHERE, 16, UINT64_MAX, 0x20, 0x64,
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static struct input input;

static uint64_t next_word(uint8_t kind)
{
    return kind < WORDS ? words[kind] : take_u64(&input);
}

static int read_anything(void *to, uintptr_t address, size_t size)
{
    (void)address;
    if (input.left == 0)
        return -EFAULT;
    for (size_t at = 0; at < size; at += WORD) {
        uint8_t kind = take_u8(&input);
        if (kind == UNREADABLE)
            return -EFAULT;
        uint64_t word = next_word(kind);
        memcpy((uint8_t *)to + at, &word, size - at < WORD ? size - at : WORD);
    }
    return 0;
}

/* With a store memory is read by lines, of which each piece takes what it needs of the input. */
static size_t parts_of_anything(uint32_t tid, void *to, const struct iovec *parts, size_t count)
{
    size_t got = 0;
    (void)tid;
    for (size_t i = 0; i < count; i++) {
        MUST(parts[i].iov_len % LH_VIEW_LINE == 0);
        if (read_anything((uint8_t *)to + got, (uintptr_t)parts[i].iov_base, parts[i].iov_len) != 0)
            break;
        got += parts[i].iov_len;
    }
    return got;
}

/* Since 3.13 the interpreter itself says where things are, and may lie, too. */
static bool find_offsets(struct lh_python_offsets *at, bool *has_store)
{
    static uint8_t runtime[RUNTIME_MAX];
    uint8_t kind = take_u8(&input);
    uint32_t version = 0x0308u + kind % 8;
    *has_store = kind >= 0x80;
    uint16_t size;
    take(&input, &size, sizeof(size));
    size %= sizeof(runtime) + 1;
    if (version >= 0x030d)
        take(&input, runtime, size);
    return lh_python_offsets_find(version, runtime, size, at) == 0;
}

static bool has_end(const char *strings, uint32_t length)
{
    return length == 0 || strings[length - 1] == '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct lh_record record;
    static struct lh_view_store stores[LH_VIEW_STORES];
    struct lh_python_layout layout = {
        .code_type = CODE_TYPE,
        .string_type = STRING_TYPE,
        .bytes_type = BYTES_TYPE,
        .runtime = RUNTIME,
        .eval_loop = {.start = ANYWHERE, .size = 64},
    };
    input = (struct input){bytes, size};
    bool has_store;
    if (!find_offsets(&layout.at, &has_store))
        return 0;
    MUST(layout.at.frame_span <= LH_PYTHON_FRAME_SPAN_MAX);
    MUST(layout.at.code_span <= LH_PYTHON_CODE_SPAN_MAX);
    uint32_t most = take_u8(&input);
    memset(&record, 0, offsetof(struct lh_record, stack));
    struct lh_view view = {.read = read_anything, .parts = parts_of_anything};
    if (has_store)
        lh_view_open(&view, stores);
    lh_python_walk(&layout, &view, THREAD_STATE, most, &record);
    lh_view_close(&view);
    stores[0].early = stores[0].lone_count = 0; /* an input is told by itself */
    MUST(lh_record_check(&record));
    MUST(record.python_count <= most);
    MUST(has_end(record.strings, record.strings_length));
    return 0;
}
