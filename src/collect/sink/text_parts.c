/* SPDX-License-Identifier: Apache-2.0 */
/* Words and numbers of text reports. Runs on the threads of the rings. */
#include "collect/sink/text_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/peer_text.h"
#include "common/units.h"
#include "common/utf8.h"

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

/* All of it or nothing. */
static bool put_all(struct lh_text *text, const char *bytes, size_t length)
{
    if (text->length + length >= text->size)
        return false;
    for (size_t i = 0; i < length; i++)
        lh_text_char(text, bytes[i]);
    return true;
}

static bool put_character(struct lh_text *text, uint32_t code, const char *bytes, size_t length)
{
    char escape[sizeof("\\U0010ffff")];
    if (code == '\t')
        return put_all(text, " ", 1);
    if (code == LH_UTF8_NONE || code < ' ' || code == 0x7f)
        return put_all(text, "?", 1);
    if (!lh_utf8_is_hidden(code))
        return put_all(text, bytes, length);
    int escaped =
        snprintf(escape, sizeof(escape), code < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)code);
    return put_all(text, escape, (size_t)escaped);
}

void lh_text_clean(struct lh_text *text, const char *bytes, size_t length)
{
    uint32_t code;
    for (size_t i = 0; i < length;) {
        size_t span = lh_utf8_next(bytes + i, length - i, &code);
        if (!put_character(text, code, bytes + i, span))
            return;
        i += span;
    }
}

/* Rounded to a tenth of the unit, which is not shown when it is 0: a deadline 299.98 ms ahead was
 * asked for as 300 ms. */
void lh_text_duration(struct lh_text *text, uint64_t ns)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{LH_NS_PER_S, "s"}, {LH_NS_PER_MS, "ms"}, {LH_NS_PER_US, "us"}};
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

void lh_text_elapsed(struct lh_text *text, uint64_t ns, uint64_t parts)
{
    bool long_time = ns >= 10 * LH_NS_PER_S;
    uint64_t unit = long_time ? LH_NS_PER_S : LH_NS_PER_MS;
    lh_text_u64(text, ns / unit);
    if (parts > 1)
        lh_text_format(text, ".%0*" PRIu64, parts == 100 ? 2 : 1, ns % unit / (unit / parts));
    lh_text_string(text, long_time ? " s" : " ms");
}

const char *lh_text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void lh_text_sentence(struct lh_text *text, const struct lh_text_style *style, const char *sentence)
{
    size_t width = style->width > 4 && style->width < 80 ? style->width - 2 : 78;
    size_t at = 0;
    if (sentence == NULL)
        return;
    lh_text_format(text, "  %s", style->faint);
    for (const char *word = sentence; *word != '\0'; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        bool begins = word == sentence || at + 1 + length > width - 2;
        lh_text_string(text, word == sentence ? "" : begins ? "\n  " : " ");
        at = begins ? length : at + 1 + length;
        for (; length > 0; length--)
            lh_text_char(text, *word++);
    }
    lh_text_format(text, "%s\n", style->reset);
}

static void add_peer(struct lh_text *text, const struct lh_resource *resource)
{
    char peer[256];
    if (lh_peer_text(resource, peer, sizeof(peer))) {
        lh_text_string(text, "socket to ");
        lh_text_clean(text, peer, strlen(peer));
    } else {
        lh_text_format(text, "socket %d", resource->fd);
    }
}

static void add_socket(struct lh_text *text, const struct lh_record *record)
{
    add_peer(text, &record->resource);
    if (record->resource.nonblocking == 0 && record->resource.waited_count == 0)
        lh_text_string(text, ", not O_NONBLOCK");
}

static void add_path(struct lh_text *text, const struct lh_resource *resource)
{
    if (resource->length > 0) {
        lh_text_string(text, resource->text[0] == '/' ? "file " : "");
        lh_text_clean(text, resource->text, resource->length);
    } else {
        lh_text_format(text, "descriptor %d", resource->fd);
    }
}

static void add_file(struct lh_text *text, const struct lh_record *record)
{
    add_path(text, &record->resource);
}

static void add_name(struct lh_text *text, const struct lh_record *record)
{
    lh_text_string(text, "host ");
    lh_text_clean(text, record->resource.text, record->resource.length);
}

static void add_who(struct lh_text *text, const char *before, const struct lh_waited_for *who)
{
    if (who->length == 0)
        return;
    lh_text_string(text, before);
    lh_text_clean(text, who->text, who->length);
}

static void add_futex(struct lh_text *text, const struct lh_record *record)
{
    lh_text_format(text, "futex 0x%" PRIx64, (uint64_t)record->resource.number);
}

static void add_condition(struct lh_text *text, const struct lh_record *record)
{
    lh_text_format(text, "condition 0x%" PRIx64, (uint64_t)record->resource.number);
}

static void add_thread(struct lh_text *text, const struct lh_record *record)
{
    lh_text_string(text, "thread");
    if (record->resource.number > 0)
        lh_text_format(text, " %" PRId64, record->resource.number);
    add_who(text, " ", &record->resource.who);
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
    add_who(text, ": ", &record->resource.who);
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

static void add_wait(struct lh_text *text, const struct lh_record *record)
{
    const struct lh_resource *resource = &record->resource;
    struct lh_resource too;
    for (uint32_t i = 0; i < resource->too_count; i++) {
        lh_text_string(text, ", ");
        lh_resource_of_too(&too, &resource->too[i]);
        (too.kind == LH_RESOURCE_SOCKET ? add_peer : add_path)(text, &too);
    }
    if (resource->waited_count > resource->too_count + 1)
        lh_text_string(text, " ...");
    lh_text_string(text, resource->number < 0 ? ", no time-out" : ", ");
    if (resource->number >= 0)
        add_duration(text, record);
}

void lh_text_resource(struct lh_text *text, const struct lh_record *record)
{
    static void (*const adders[])(struct lh_text *, const struct lh_record *) = {
        [LH_RESOURCE_SOCKET] = add_socket,
        [LH_RESOURCE_FILE] = add_file,
        [LH_RESOURCE_NAME] = add_name,
        [LH_RESOURCE_LOCK] = add_lock,
        [LH_RESOURCE_PID] = add_pid,
        [LH_RESOURCE_DURATION] = add_duration,
        [LH_RESOURCE_THREAD] = add_thread,
        [LH_RESOURCE_FUTEX] = add_futex,
        [LH_RESOURCE_CONDITION] = add_condition,
    };
    if (record->resource.kind == LH_RESOURCE_NONE)
        return;
    lh_text_string(text, " (");
    if (record->resource.waited_count > 1)
        lh_text_format(text, "%" PRIu32 " descriptors: ", record->resource.waited_count);
    adders[record->resource.kind](text, record);
    if (record->resource.waited_count > 0)
        add_wait(text, record);
    if (lh_resource_has_child(&record->resource)) {
        lh_text_format(text, "; child %" PRId32, record->resource.who.id);
        add_who(text, ": ", &record->resource.who);
    }
    lh_text_char(text, ')');
}
