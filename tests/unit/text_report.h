/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of text reports: a sink that writes to a file, and a block to report. */
#ifndef LH_TESTS_TEXT_REPORT_H
#define LH_TESTS_TEXT_REPORT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/report/fingerprint.h"
#include "collect/sink/output.h"
#include "collect/sink/sink.h"
#include "collect/stack/frame_kind.h"
#include "common/call_ids.h"
#include "common/text.h"
#include "new_ring.h"

#define MS        1000000ULL
#define MINUTE_NS 60000000000LL /* then the stack of a place is shown again */

struct fixture {
    char directory[64];
    struct lh_ring *header;
    struct lh_record *record;
    struct lh_outputs *outputs;
    struct lh_output *output;
    struct lh_sink *sink;
    uint16_t columns;               /* 0: it writes to a file */
    const struct lh_advice *advice; /* NULL: there is none */
    bool plain;                     /* without colours also on a terminal */
    int read_fd;
    char content[1 << 18]; /* of the last read */
};

static inline void write_file(const struct fixture *fixture, const char *name, const char *content)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Of a terminal of so many columns, from which `written` reads. */
static inline void open_terminal(struct fixture *fixture, char path[], size_t size)
{
    struct termios modes;
    const struct winsize window = {.ws_row = 24, .ws_col = fixture->columns};
    close(fixture->read_fd);
    fixture->read_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fixture->read_fd >= 0);
    assert_int_equal(grantpt(fixture->read_fd), 0);
    assert_int_equal(unlockpt(fixture->read_fd), 0);
    assert_int_equal(ptsname_r(fixture->read_fd, path, size), 0);
    assert_int_equal(ioctl(fixture->read_fd, TIOCSWINSZ, &window), 0);
    assert_int_equal(tcgetattr(fixture->read_fd, &modes), 0);
    modes.c_oflag &= ~(tcflag_t)OPOST;
    assert_int_equal(tcsetattr(fixture->read_fd, TCSANOW, &modes), 0);
}

static inline void open_sink(struct fixture *fixture)
{
    struct lh_output_target place = {.kind = LH_OUTPUT_PATH, .fd = -1};
    (void)snprintf(place.path, sizeof(place.path), "%s/out", fixture->directory);
    if (fixture->columns != 0)
        open_terminal(fixture, place.path, sizeof(place.path));
    fixture->output = lh_output_get(fixture->outputs, &place);
    const struct lh_sink_setup sink = {.header = fixture->header,
                                       .main_tid = 4242,
                                       .output = fixture->output,
                                       .colour = !fixture->plain};
    fixture->sink = lh_sink_new(&sink);
    assert_non_null(fixture->sink);
    assert_int_equal(lh_sink_start(fixture->sink), 0);
}

static inline int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->header = new_ring();
    fixture->record = calloc(1, sizeof(*fixture->record));
    fixture->outputs = lh_outputs_new();
    (void)lh_text_copy(fixture->directory, sizeof(fixture->directory), "/tmp/lh-text-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    lh_options_init(&fixture->header->options);
    fixture->header->options.format = LH_FORMAT_TEXT;
    fixture->header->pid = 4242;
    (void)lh_text_copy(fixture->header->cwd, sizeof(fixture->header->cwd), fixture->directory);
    write_file(fixture, "out", "");
    write_file(fixture, "app.py",
               "import time\n\n\ndef handler():\n    time.sleep(0.3)   \n\n"
               "async def dispatch():\n    return await handler(request)\n");
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/out", fixture->directory);
    fixture->read_fd = open(path, O_RDONLY | O_CLOEXEC);
    *state = fixture;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    lh_sink_free(fixture->sink);
    lh_output_put(fixture->outputs, fixture->output);
    lh_outputs_free(fixture->outputs);
    close(fixture->read_fd);
    (void)snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
    int result = system(command);
    free(fixture->header);
    free(fixture->record);
    free(fixture);
    return result;
}

/* What was written since the last time. */
static inline const char *written(struct fixture *fixture)
{
    ssize_t length = read(fixture->read_fd, fixture->content, sizeof(fixture->content) - 1);
    assert_true(length >= 0);
    fixture->content[length] = '\0';
    return fixture->content;
}

/* A block of the main thread: 301.29 ms in clock_nanosleep, 299.987 ms asked for. */
static inline struct lh_record *block(struct fixture *fixture)
{
    struct lh_record *record = fixture->record;
    memset(record, 0, sizeof(*record));
    record->type = LH_EVENT_BLOCK;
    record->tid = 4242;
    record->id = 17;
    record->call = LH_CALL_clock_nanosleep;
    record->group = LH_GROUP_SLEEP;
    record->elapsed_ns = 301290000;
    (void)lh_text_copy(record->thread, sizeof(record->thread), "python3");
    record->resource.kind = LH_RESOURCE_DURATION;
    record->resource.fd = -1;
    record->resource.number = 299987000;
    return record;
}

/* As the reporter gives it. */
static inline uint64_t fingerprint(const struct lh_record *record, const struct lh_frame *frames,
                                   uint32_t count)
{
    bool call = record->type != LH_EVENT_STALL && record->type != LH_EVENT_STALLING;
    const char *name = call ? lh_call_info(record->call)->canonical : NULL;
    return count > 0 ? lh_fingerprint(name, &frames[lh_place_of(frames, count)], NULL, "") : 0;
}

static inline const char *reported(struct fixture *fixture, const struct lh_frame *frames,
                                   uint32_t count)
{
    if (fixture->sink == NULL)
        open_sink(fixture);
    const struct lh_report report = {.record = fixture->record,
                                     .frames = frames,
                                     .frame_count = count,
                                     .fingerprint = fingerprint(fixture->record, frames, count),
                                     .advice = fixture->advice,
                                     .no_stack = (enum lh_no_stack)fixture->record->no_stack};
    assert_int_equal(lh_sink_report(fixture->sink, &report), 0);
    return written(fixture);
}

static inline const char *reported_line(struct fixture *fixture)
{
    return reported(fixture, NULL, 0);
}

static inline void set_text(struct lh_resource *resource, enum lh_resource_kind kind,
                            const char *text)
{
    resource->kind = (uint8_t)kind;
    resource->fd = -1;
    resource->length = (uint16_t)strlen(text);
    memcpy(resource->text, text, strlen(text));
}

#define PYTHON(name, path, number)                                                                 \
    {                                                                                              \
        .lang = LH_LANG_PYTHON, .function = (name), .file = (path), .line = (number)               \
    }
#define NATIVE(name, path, at)                                                                     \
    {                                                                                              \
        .lang = LH_LANG_NATIVE, .function = (name), .module = (path), .offset = (at)               \
    }
#define COUNT(array)     ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define HEAD             "loophound[4242] MainThread "
#define STANDARD(name)   "/usr/lib/python3.11/" name
#define SITE(name)       "/opt/v/lib/python3.11/site-packages/" name
#define INTERPRETER      "/usr/bin/python3.11"
#define CLOCK_NANO_BLOCK HEAD "blocked 301.2 ms in clock_nanosleep (sleep 300 ms)  #17\n"

#endif
