/* SPDX-License-Identifier: Apache-2.0 */
/* See utf8.h: no malloc, no stdio, no locale, no thread-local storage. */
#include "common/utf8.h"

/* Which second bytes may follow a first byte, and which of its bits are of the code. */
static const struct form {
    unsigned char first, last;
    unsigned char least, most;
    unsigned char length;
    unsigned char bits;
} forms[] = {
    {0x00, 0x7f, 0, 0, 1, 0x7f},       {0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f},
    {0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f}, {0xe1, 0xec, 0x80, 0xbf, 3, 0x0f},
    {0xed, 0xed, 0x80, 0x9f, 3, 0x0f}, {0xee, 0xef, 0x80, 0xbf, 3, 0x0f},
    {0xf0, 0xf0, 0x90, 0xbf, 4, 0x07}, {0xf1, 0xf3, 0x80, 0xbf, 4, 0x07},
    {0xf4, 0xf4, 0x80, 0x8f, 4, 0x07},
};

static const struct form *form_of(unsigned char first)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (first >= forms[i].first && first <= forms[i].last)
            return &forms[i];
    return NULL;
}

static bool may_follow(const struct form *form, size_t at, unsigned char byte)
{
    unsigned char least = at == 1 ? form->least : 0x80;
    unsigned char most = at == 1 ? form->most : 0xbf;
    return byte >= least && byte <= most;
}

size_t lh_utf8_next(const char *text, size_t length, uint32_t *code)
{
    const unsigned char *bytes = (const unsigned char *)text;
    const struct form *form = form_of(bytes[0]);
    *code = LH_UTF8_NONE;
    if (form == NULL)
        return 1;
    uint32_t value = bytes[0] & form->bits;
    size_t span = 1;
    for (; span < form->length && span < length && may_follow(form, span, bytes[span]); span++)
        value = value << 6 | (bytes[span] & 0x3f);
    if (span == form->length)
        *code = value;
    return span;
}

uint32_t lh_utf8_length(uint32_t code)
{
    return 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
}

char *lh_utf8_put(char *to, uint32_t code)
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint32_t length = lh_utf8_length(code);
    if (length == 1) {
        *to = (char)code;
        return to + 1;
    }
    for (uint32_t i = length - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    to[0] = (char)(lead[length] | code);
    return to + length;
}

bool lh_utf8_is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},   {0x61c, 0x61c},
        {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f},
        {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}
