/* SPDX-License-Identifier: Apache-2.0 */
/* pprof's profile.proto, compressed by gzip: `go tool pprof`, Grafana, Speedscope and others read
 * it. Written with what protobuf's wire format has: numbers, and bytes with their length.
 * https://github.com/google/pprof/blob/main/proto/profile.proto */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/flame.h"
#include "cli/export/formats.h"
#include "cli/export/gzip.h"

/* Numbers of fields in profile.proto. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_TIME = 9,
    PROFILE_DURATION = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_DEFAULT_TYPE = 14,
    TYPE_NAME = 1,
    TYPE_UNIT = 2,
    SAMPLE_LOCATIONS = 1,
    SAMPLE_VALUES = 2,
    SAMPLE_LABEL = 3,
    LABEL_KEY = 1,
    LABEL_VALUE = 2,
    LOCATION_ID = 1,
    LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    LINE_NUMBER = 2,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_SYSTEM_NAME = 3,
    FUNCTION_FILE = 4
};

enum { WIRE_NUMBER = 0, WIRE_BYTES = 2 };

/* Strings that are none of the model's; "" has to be the first. */
enum word {
    WORD_NONE,
    WORD_BLOCKS,
    WORD_COUNT,
    WORD_BLOCKED,
    WORD_NANOSECONDS,
    WORD_WALL,
    WORD_CALL,
    WORD_GROUP,
    WORD_THREAD,
    WORD_STALL,
    WORDS
};

static const char *const words[WORDS] = {[WORD_NONE] = "",
                                         [WORD_BLOCKS] = "blocks",
                                         [WORD_COUNT] = "count",
                                         [WORD_BLOCKED] = "blocked",
                                         [WORD_NANOSECONDS] = "nanoseconds",
                                         [WORD_WALL] = "wall",
                                         [WORD_CALL] = "call",
                                         [WORD_GROUP] = "group",
                                         [WORD_THREAD] = "thread",
                                         [WORD_STALL] = "stall"};

/* A message of bounded length. The longest has a number for each frame, and three labels. */
#define MESSAGE_BYTES (16 * LH_FLAME_FRAMES_MAX)

struct message {
    size_t length;
    unsigned char bytes[MESSAGE_BYTES];
};

struct pprof {
    const struct lh_export_model *model;
    struct lh_gzip *gzip;
    uint32_t *strings; /* of the model: their numbers in the file; 0: not used */
    uint32_t *leaves;  /* by the string of a call: that of "[call]" */
    uint32_t *order;   /* what the numbers from WORDS on are: a string, and LEAF for a call's */
    uint32_t string_count;
    uint32_t *frames; /* 1: it is in a sample */
};

#define LEAF 0x80000000u

static void put_varint(struct message *message, uint64_t value)
{
    do {
        if (message->length == sizeof(message->bytes))
            return; /* cannot be: see MESSAGE_BYTES */
        unsigned char more = value > 127 ? 128 : 0;
        message->bytes[message->length++] = (unsigned char)(value & 127) | more;
        value >>= 7;
    } while (value > 0);
}

static void put_number(struct message *message, unsigned field, uint64_t value)
{
    put_varint(message, field << 3 | WIRE_NUMBER);
    put_varint(message, value);
}

static void put_message(struct message *message, unsigned field, const struct message *inner)
{
    put_varint(message, field << 3 | WIRE_BYTES);
    put_varint(message, inner->length);
    if (inner->length > sizeof(message->bytes) - message->length)
        return;
    memcpy(message->bytes + message->length, inner->bytes, inner->length);
    message->length += inner->length;
}

static void write_bytes(struct pprof *pprof, unsigned field, const void *bytes, size_t length)
{
    struct message head = {.length = 0};
    put_varint(&head, field << 3 | WIRE_BYTES);
    put_varint(&head, length);
    lh_gzip_write(pprof->gzip, head.bytes, head.length);
    lh_gzip_write(pprof->gzip, bytes, length);
}

static void write_message(struct pprof *pprof, unsigned field, const struct message *message)
{
    write_bytes(pprof, field, message->bytes, message->length);
}

static void write_number(struct pprof *pprof, unsigned field, uint64_t value)
{
    struct message message = {.length = 0};
    put_number(&message, field, value);
    lh_gzip_write(pprof->gzip, message.bytes, message.length);
}

static uint32_t number_of(struct pprof *pprof, uint32_t *known, uint32_t what)
{
    if (*known == 0) {
        *known = WORDS + pprof->string_count;
        pprof->order[pprof->string_count++] = what;
    }
    return *known;
}

static uint32_t string_of(struct pprof *pprof, uint32_t string)
{
    return string != 0 ? number_of(pprof, &pprof->strings[string], string) : WORD_NONE;
}

static uint32_t leaf_of(struct pprof *pprof, uint32_t call)
{
    return number_of(pprof, &pprof->leaves[call], call | LEAF);
}

static void put_label(struct message *sample, enum word key, uint32_t value)
{
    struct message label = {.length = 0};
    put_number(&label, LABEL_KEY, key);
    put_number(&label, LABEL_VALUE, value);
    put_message(sample, SAMPLE_LABEL, &label);
}

/* Locations are the numbers of frames; those of calls come behind. */
static uint64_t location_of_call(const struct pprof *pprof, uint32_t call)
{
    return (uint64_t)pprof->model->frame_count + call;
}

static void write_sample(struct pprof *pprof, const struct lh_flame *flame)
{
    uint32_t frames[LH_FLAME_FRAMES_MAX];
    uint32_t count = lh_flame_frames(pprof->model, flame->stack, frames);
    struct message inner = {.length = 0};
    struct message sample = {.length = 0};
    put_varint(&inner, location_of_call(pprof, flame->call));
    for (uint32_t i = 0; i < count; i++) {
        put_varint(&inner, frames[i]);
        pprof->frames[frames[i]] = 1;
    }
    (void)leaf_of(pprof, flame->call);
    put_message(&sample, SAMPLE_LOCATIONS, &inner);
    inner.length = 0;
    put_varint(&inner, flame->count);
    put_varint(&inner, flame->ns);
    put_message(&sample, SAMPLE_VALUES, &inner);
    put_label(&sample, WORD_CALL, flame->call != 0 ? string_of(pprof, flame->call) : WORD_STALL);
    put_label(&sample, WORD_GROUP, flame->group != 0 ? string_of(pprof, flame->group) : WORD_STALL);
    if (flame->thread != 0)
        put_label(&sample, WORD_THREAD, string_of(pprof, flame->thread));
    write_message(pprof, PROFILE_SAMPLE, &sample);
}

/* Each function has one location, of the same number: a line is a frame of its own. */
static void write_location(struct pprof *pprof, uint64_t id, uint32_t name, uint32_t file,
                           uint32_t line_number)
{
    struct message line = {.length = 0};
    struct message location = {.length = 0};
    struct message function = {.length = 0};
    put_number(&line, LINE_FUNCTION, id);
    put_number(&line, LINE_NUMBER, line_number);
    put_number(&location, LOCATION_ID, id);
    put_message(&location, LOCATION_LINE, &line);
    write_message(pprof, PROFILE_LOCATION, &location);
    put_number(&function, FUNCTION_ID, id);
    put_number(&function, FUNCTION_NAME, name);
    put_number(&function, FUNCTION_SYSTEM_NAME, name);
    put_number(&function, FUNCTION_FILE, file);
    write_message(pprof, PROFILE_FUNCTION, &function);
}

static void write_locations(struct pprof *pprof)
{
    const struct lh_export_model *model = pprof->model;
    for (uint32_t i = 1; i < model->frame_count; i++) {
        const struct lh_export_frame *frame = &model->frames[i];
        if (pprof->frames[i] != 0)
            write_location(pprof, i, string_of(pprof, frame->name),
                           string_of(pprof, frame->file != 0 ? frame->file : frame->module),
                           frame->line);
    }
    for (uint32_t i = 0; i < lh_export_string_count(model); i++)
        if (pprof->leaves[i] != 0)
            write_location(pprof, location_of_call(pprof, i), pprof->leaves[i], WORD_NONE, 0);
}

static void write_strings(struct pprof *pprof)
{
    char leaf[LH_EXPORT_STRING_MAX + 2];
    for (int i = 0; i < WORDS; i++)
        write_bytes(pprof, PROFILE_STRING, words[i], strlen(words[i]));
    for (uint32_t i = 0; i < pprof->string_count; i++) {
        uint32_t string = pprof->order[i] & ~LEAF;
        bool is_leaf = (pprof->order[i] & LEAF) != 0;
        int length = snprintf(leaf, sizeof(leaf), is_leaf ? "[%s]" : "%s",
                              lh_export_what(pprof->model, string));
        write_bytes(pprof, PROFILE_STRING, leaf, (size_t)length);
    }
}

static void write_type(struct pprof *pprof, unsigned field, enum word name, enum word unit)
{
    struct message type = {.length = 0};
    put_number(&type, TYPE_NAME, name);
    put_number(&type, TYPE_UNIT, unit);
    write_message(pprof, field, &type);
}

static void write_all(struct pprof *pprof, const struct lh_flame *flames, uint32_t count)
{
    const struct lh_export_totals *totals = &pprof->model->totals;
    write_type(pprof, PROFILE_SAMPLE_TYPE, WORD_BLOCKS, WORD_COUNT);
    write_type(pprof, PROFILE_SAMPLE_TYPE, WORD_BLOCKED, WORD_NANOSECONDS);
    for (uint32_t i = 0; i < count; i++)
        write_sample(pprof, &flames[i]);
    write_locations(pprof);
    if (count > 0) {
        write_number(pprof, PROFILE_TIME, (uint64_t)totals->first_ns);
        write_number(pprof, PROFILE_DURATION, (uint64_t)(totals->last_ns - totals->first_ns));
    }
    write_type(pprof, PROFILE_PERIOD_TYPE, WORD_WALL, WORD_NANOSECONDS);
    write_number(pprof, PROFILE_PERIOD, 1);
    write_number(pprof, PROFILE_DEFAULT_TYPE, WORD_BLOCKED);
    write_strings(pprof);
}

int lh_export_pprof(const struct lh_export_model *model, FILE *to)
{
    uint32_t count = 0;
    uint32_t strings = lh_export_string_count(model);
    struct lh_flame *flames = lh_flames_new(model, &count);
    struct pprof pprof = {.model = model,
                          .gzip = lh_gzip_new(to),
                          .strings = calloc(strings, sizeof(uint32_t)),
                          .leaves = calloc(strings, sizeof(uint32_t)),
                          .order = calloc(2 * (size_t)strings, sizeof(uint32_t)),
                          .frames = calloc(model->frame_count, sizeof(uint32_t))};
    bool room = flames != NULL && pprof.gzip != NULL && pprof.strings != NULL &&
                pprof.leaves != NULL && pprof.order != NULL && pprof.frames != NULL;
    if (room)
        write_all(&pprof, flames, count);
    int error = pprof.gzip != NULL ? lh_gzip_end(pprof.gzip) : 0;
    free(flames);
    free(pprof.strings);
    free(pprof.leaves);
    free(pprof.order);
    free(pprof.frames);
    return room ? error : -ENOMEM;
}
