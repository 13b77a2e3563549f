/* SPDX-License-Identifier: Apache-2.0 */
/* What a stack was at, beside its frames: a regular expression, JSON, what the runtime did for
 * itself. Runs on the threads of the rings. See text_parts.h. */
#include <inttypes.h>
#include <string.h>

#include "collect/sink/text_parts.h"
#include "common/units.h"

#define KB 1000u

/* "11.4 MB". */
static void add_bytes(struct lh_text *text, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB"};
    uint64_t tenths = bytes * 10;
    size_t unit = 0;
    for (; unit + 1 < sizeof(units) / sizeof(units[0]) && tenths >= (uint64_t)KB * 10; unit++)
        tenths = (tenths + KB / 2) / KB;
    if (unit == 0 || tenths >= 1000)
        lh_text_format(text, "%" PRIu64 " %s", tenths / 10, units[unit]);
    else
        lh_text_format(text, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}

void lh_text_amount(struct lh_text *text, const struct lh_about *about)
{
    switch (about->kind) {
    case LH_JS_ABOUT_REGEXP:
        lh_text_char(text, '/');
        if (about->text != NULL)
            lh_text_clean(text, about->text, strlen(about->text));
        lh_text_char(text, '/');
        return;
    case LH_JS_ABOUT_TEXT:
        add_bytes(text, about->amount);
        return;
    case LH_JS_ABOUT_ARRAY:
        lh_text_format(text, "an array of %" PRIu64, about->amount);
        return;
    default:
        return;
    }
}

void lh_text_about(struct lh_text *text, const struct lh_frame *frames, uint32_t count)
{
    const struct lh_frame *frame = frames;
    while (frame < frames + count && frame->file == NULL &&
           frame->about.kind == LH_JS_ABOUT_NOTHING)
        frame++;
    if (frame == frames + count || frame->about.kind == LH_JS_ABOUT_NOTHING)
        return;
    lh_text_string(text, " in ");
    if (frame->about.kind == LH_JS_ABOUT_REGEXP) {
        lh_text_string(text, "the regular expression ");
    } else {
        if (frame->function != NULL)
            lh_text_clean(text, frame->function, strlen(frame->function));
        lh_text_string(text, " of ");
    }
    lh_text_amount(text, &frame->about);
}

/* A pause of a collector strikes whatever asks for memory: that line is not to blame. */
void lh_text_work(struct lh_text *text, const struct lh_sample *group)
{
    for (int work = LH_WORK_NONE + 1; work < LH_WORK_COUNT; work++) {
        if (group->work_ns[work] < LH_NS_PER_MS)
            continue;
        lh_text_string(text, ", ");
        lh_text_elapsed(text, group->work_ns[work], 10);
        lh_text_format(text, " of it in %s", lh_work_place((enum lh_work)work));
    }
}
