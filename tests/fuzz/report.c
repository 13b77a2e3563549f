/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that loophound report reads: any JSON where an event, a frame or a stack is expected. */
#include <string.h>

#include "cli/report.h"
#include "cli/report_time.h"
#include "fuzz.h"

static const char *const nowhere[] = {NULL};
static const char *const words[] = {"place", "call", "peer", "task", "thread", "test"};

struct reader {
    struct lh_symbol_files *files;
    struct lh_book *book;
    struct lh_table *table;
};

static void read_event(const struct reader *reader, json_t *event)
{
    int64_t us;
    const char *time = lh_string_of(event, "time");
    if (time != NULL)
        (void)lh_time_parse(time, &us);
    (void)lh_book_place(reader->book, event);
    lh_table_add(reader->table, event);
    lh_table_add(reader->table, event);
    lh_book_put_stacks(reader->book, event);
    lh_complete_stacks(event, reader->files);
}

static void read_line(const struct reader *reader, const char *line, size_t length)
{
    json_error_t error;
    json_t *event = json_loadb(line, length, 0, &error);
    if (event != NULL && !lh_book_take(reader->book, event))
        read_event(reader, event);
    json_decref(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    const char *end = at + size;
    const char *word = words[size % (sizeof(words) / sizeof(words[0]))];
    struct reader reader = {.files = lh_symbol_files_new(nowhere)};
    reader.book = lh_book_new(reader.files);
    reader.table = lh_table_new(lh_by_find(word), reader.book);
    MUST(reader.files != NULL && reader.book != NULL && reader.table != NULL);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        read_line(&reader, at, (size_t)(stop - at));
        at = stop + 1;
    }
    lh_table_free(reader.table);
    lh_book_free(reader.book);
    lh_symbol_files_free(reader.files);
    return 0;
}
