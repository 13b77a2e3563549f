/* SPDX-License-Identifier: Apache-2.0 */
/* Short names of files, and of what is in them. Runs on the threads of the rings. */
#include <inttypes.h>
#include <string.h>

#include "collect/sink/text_parts.h"
#include "collect/stack/frame_package.h"
#include "common/text.h"

#define LONG_PATH 48

/* The last two components, where that is shorter. */
static const char *tail(const char *path)
{
    const char *base = lh_base_name(path);
    const char *at = base > path ? base - 1 : path;
    while (at > path && at[-1] != '/')
        at--;
    return at;
}

void lh_text_path(struct lh_text *text, const char *file, const char *cwd)
{
    size_t cwd_length = strlen(cwd);
    const char *packaged = file[0] == '/' ? lh_inside_packages(file) : NULL;
    if (packaged != NULL) {
        file = packaged;
    } else if (cwd_length > 1 && lh_starts_with(file, cwd) && file[cwd_length] == '/') {
        file += cwd_length + 1;
    } else if (strlen(file) > LONG_PATH && tail(file) > file) {
        lh_text_string(text, ".../");
        file = tail(file);
    }
    lh_text_clean(text, file, strlen(file));
}

void lh_text_where(struct lh_text *text, const struct lh_frame *frame, const char *cwd)
{
    if (frame->file != NULL) {
        lh_text_path(text, frame->file, cwd);
        if (frame->line != 0)
            lh_text_format(text, ":%" PRIu32, frame->line);
    } else if (frame->module != NULL) {
        lh_text_path(text, frame->module, cwd);
        if (frame->function == NULL)
            lh_text_format(text, "+0x%" PRIx64, frame->offset);
    }
    if (frame->function == NULL)
        return;
    if (text->length > 0)
        lh_text_char(text, ' ');
    lh_text_clean(text, frame->function, strlen(frame->function));
}
