/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a script. See script_text.h. What the program says, and what its files hold, may be
 * anything: both are bounded, and compared. */
#include "collect/stack/script_text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "collect/stack/whole_file.h"
#include "collect/sys/other_user.h"
#include "common/js_check.h"
#include "common/utf8.h"

#define FIRST_OF_TWO 0xd800u /* surrogates */
#define SECOND       0xdc00u
#define REPLACEMENT  0xfffdu
#define UTF8_MARK    "\xef\xbb\xbf" /* a mark that is no part of the text */

void lh_script_text_free(struct lh_script_text *text)
{
    free(text->units);
    *text = (struct lh_script_text){NULL, 0};
}

/* Is it what the frame stands in? */
static bool is_that_of(const struct lh_script_text *text, const struct lh_js_frame *js)
{
    if (text->count != js->source_length || js->position > text->count)
        return false;
    uint32_t left = text->count - js->position;
    return js->source_check ==
           lh_js_check(text->units + js->position, left < LH_JS_CHECKED ? left : LH_JS_CHECKED);
}

/* Letters of one byte, at the end of the units' memory, become units from its begin on. */
static void widen(struct lh_script_text *text)
{
    const uint8_t *bytes = (const uint8_t *)(text->units + text->count) - text->count;
    for (uint32_t i = 0; i < text->count; i++) {
        uint8_t byte = bytes[i];
        text->units[i] = byte;
    }
}

static bool read_memory(pid_t pid, const struct lh_js_frame *js, struct lh_script_text *text)
{
    if (js->source_length == 0 || js->source_length > LH_WHOLE_FILE_MAX || lh_is_other_user())
        return false;
    size_t size = (size_t)js->source_length * (js->is_wide ? 2 : 1);
    text->count = js->source_length;
    text->units = calloc(text->count, sizeof(*text->units));
    if (text->units == NULL)
        return false;
    uint8_t *end = (uint8_t *)(text->units + text->count);
    const struct iovec local = {end - size, size};
    const struct iovec remote = {(void *)(uintptr_t)js->source, size}; // NOLINT
    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)size)
        return false;
    if (!js->is_wide)
        widen(text);
    return true;
}

static void put_unit(struct lh_script_text *text, uint32_t unit)
{
    text->units[text->count++] = (uint16_t)unit;
}

/* A text has at most as many units as bytes. */
static void decode(const char *bytes, size_t length, struct lh_script_text *text)
{
    while (length > 0) {
        uint32_t code;
        size_t size = lh_utf8_next(bytes, length, &code);
        if (code == LH_UTF8_NONE) {
            put_unit(text, REPLACEMENT);
        } else if (code >= 0x10000) {
            put_unit(text, FIRST_OF_TWO + ((code - 0x10000) >> 10));
            put_unit(text, SECOND + ((code - 0x10000) & 0x3ff));
        } else {
            put_unit(text, code);
        }
        bytes += size;
        length -= size;
    }
}

static bool read_file(const char *path, struct lh_script_text *text)
{
    static const char mark[] = UTF8_MARK;
    size_t length = 0;
    char *bytes = path[0] == '/' ? lh_whole_file(path, &length) : NULL;
    text->units = bytes != NULL ? calloc(length + 1, sizeof(*text->units)) : NULL;
    text->count = 0;
    size_t skip = length >= 3 && memcmp(bytes, mark, 3) == 0 ? 3 : 0;
    if (text->units != NULL)
        decode(bytes + skip, length - skip, text);
    free(bytes);
    return text->units != NULL;
}

bool lh_script_text_take(pid_t pid, const struct lh_js_frame *js, const char *path,
                         struct lh_script_text *text)
{
    *text = (struct lh_script_text){NULL, 0};
    if (read_memory(pid, js, text) && is_that_of(text, js))
        return true;
    lh_script_text_free(text);
    if (read_file(path, text) && (js->source_length == 0 || is_that_of(text, js)))
        return true;
    lh_script_text_free(text);
    return false;
}
