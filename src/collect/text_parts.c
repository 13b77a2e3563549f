/* Words and numbers of text reports. Runs on the threads of the rings. */
#include "collect/text_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_US 1000ULL

void lh_text_format(struct lh_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t left = text->size - text->length;
    int length = vsnprintf(text->buf + text->length, left, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    text->length += (size_t)length < left ? (size_t)length : left - 1;
}

/* Bytes of the UTF-8 character at `bytes` (Unicode 15, table 3-7), 0 if it is none. */
static size_t character_length(const unsigned char *bytes, size_t length)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte; of the second byte */
        size_t length;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t need = forms[i].length;
        if (bytes[0] < forms[i].first || bytes[0] > forms[i].last || need > length)
            continue;
        if (need > 1 && (bytes[1] < forms[i].low || bytes[1] > forms[i].high))
            continue;
        size_t good = 2;
        while (good < need && (bytes[good] & 0xc0) == 0x80)
            good++;
        if (good >= need)
            return need;
    }
    return 0;
}

void lh_text_clean(struct lh_text *text, const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        size_t good = character_length((const unsigned char *)bytes + i, length - i);
        if (good == 0)
            lh_text_char(text, bytes[i] == '\t' ? ' ' : '?');
        if (text->length + good >= text->size)
            return;
        for (size_t k = 0; k < good; k++)
            lh_text_char(text, bytes[i + k]);
        i += good > 0 ? good : 1;
    }
}

size_t lh_text_width(const char *string)
{
    size_t width = 0;
    for (; *string != '\0'; string++)
        width += (*string & 0xc0) != 0x80;
    return width;
}

/* Rounded to a tenth of the unit, which is not shown when it is 0: a deadline 299.98 ms ahead was
 * asked for as 300 ms. */
void lh_text_duration(struct lh_text *text, uint64_t ns)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{NS_PER_S, "s"}, {NS_PER_MS, "ms"}, {NS_PER_US, "us"}};
    uint64_t tenths = 0;
    size_t i = 0;
    for (; i < 3; i++) {
        uint64_t tenth_ns = units[i].ns / 10;
        tenths = ns / tenth_ns + (ns % tenth_ns >= tenth_ns / 2);
        if (tenths >= 10 || i == 2)
            break;
    }
    lh_text_u64(text, tenths / 10);
    if (tenths % 10 != 0)
        lh_text_format(text, ".%" PRIu64, tenths % 10);
    lh_text_format(text, " %s", units[i].name);
}

static void add_socket(struct lh_text *text, const struct lh_record *record)
{
    const struct lh_resource *resource = &record->resource;
    char peer[256];
    if (lh_peer_text(resource, peer, sizeof(peer))) {
        lh_text_string(text, "socket to ");
        lh_text_clean(text, peer, strlen(peer));
    } else {
        lh_text_format(text, "socket %d", resource->fd);
    }
    if (resource->nonblocking == 0)
        lh_text_string(text, ", not O_NONBLOCK");
}

static void add_file(struct lh_text *text, const struct lh_record *record)
{
    const struct lh_resource *resource = &record->resource;
    if (resource->length > 0) {
        lh_text_string(text, resource->text[0] == '/' ? "file " : "");
        lh_text_clean(text, resource->text, resource->length);
    } else {
        lh_text_format(text, "descriptor %d", resource->fd);
    }
}

static void add_name(struct lh_text *text, const struct lh_record *record)
{
    lh_text_string(text, "host ");
    lh_text_clean(text, record->resource.text, record->resource.length);
}

static void add_lock(struct lh_text *text, const struct lh_record *record)
{
    lh_text_format(text, "lock 0x%" PRIx64, (uint64_t)record->resource.number);
}

/* waitpid(2): -1 is any child, 0 any of our own process group, below -1 any of that group. */
static void add_pid(struct lh_text *text, const struct lh_record *record)
{
    int64_t pid = record->resource.number;
    if (pid > 0)
        lh_text_format(text, "pid %" PRId64, pid);
    else if (pid < -1)
        lh_text_format(text, "process group %" PRIu64, -(uint64_t)pid);
    else
        lh_text_string(text, "any child");
}

static void add_duration(struct lh_text *text, const struct lh_record *record)
{
    int64_t ns = record->resource.number;
    if (ns < 0) {
        lh_text_string(text, "for ever");
        return;
    }
    lh_text_string(text, record->group == LH_GROUP_SLEEP ? "sleep " : "time-out ");
    lh_text_duration(text, (uint64_t)ns);
}

void lh_text_resource(struct lh_text *text, const struct lh_record *record)
{
    static void (*const adders[])(struct lh_text *, const struct lh_record *) = {
        [LH_RESOURCE_SOCKET] = add_socket, [LH_RESOURCE_FILE] = add_file,
        [LH_RESOURCE_NAME] = add_name,     [LH_RESOURCE_LOCK] = add_lock,
        [LH_RESOURCE_PID] = add_pid,       [LH_RESOURCE_DURATION] = add_duration,
    };
    if (record->resource.kind == LH_RESOURCE_NONE)
        return;
    lh_text_string(text, " (");
    adders[record->resource.kind](text, record);
    lh_text_char(text, ')');
}
