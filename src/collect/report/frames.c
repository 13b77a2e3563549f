/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that outlive the stack they were built from. See frames.h. */
#include "collect/report/frames.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static const char *keep(char **at, const char *text)
{
    size_t size = text_size(text);
    if (size == 0)
        return NULL;
    char *kept = memcpy(*at, text, size);
    *at += size;
    return kept;
}

size_t lh_frames_bytes(const struct lh_frame *frames, uint32_t count)
{
    size_t size = count * sizeof(*frames);
    for (uint32_t i = 0; i < count; i++)
        size += text_size(frames[i].function) + text_size(frames[i].file) +
                text_size(frames[i].module) + text_size(frames[i].build_id) +
                text_size(frames[i].source) + text_size(frames[i].directory) +
                text_size(frames[i].generated_file) + text_size(frames[i].of_class) +
                text_size(frames[i].about.text);
    return size;
}

struct lh_frame *lh_frames_copy(const struct lh_frame *frames, uint32_t count)
{
    size_t size = lh_frames_bytes(frames, count);
    struct lh_frame *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return NULL;
    char *at = (char *)(copy + count);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = frames[i];
        copy[i].function = keep(&at, frames[i].function);
        copy[i].file = keep(&at, frames[i].file);
        copy[i].module = keep(&at, frames[i].module);
        copy[i].directory = keep(&at, frames[i].directory);
        copy[i].generated_file = keep(&at, frames[i].generated_file);
        copy[i].of_class = keep(&at, frames[i].of_class);
        copy[i].about.text = keep(&at, frames[i].about.text);
        copy[i].source = keep(&at, frames[i].source);
        copy[i].build_id = keep(&at, frames[i].build_id);
    }
    return copy;
}
